"""What `import` says about rows that were not imported, and about files that it can't write."""

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from command_line import Command
from scripted import CONVERSATION, HANG_UP, ScriptedServer, answer

from conversations_client import ConnectError, RequestInfo, ResponseInfo, RetryInfo
from conversations_client.bulk import Entry, State
from conversations_client.cli._display import waits
from conversations_client.cli._imports.report import RowOutcomes

pytest_plugins = ["command_line_fixtures"]

NOWHERE = ("--base-url", "http://127.0.0.1:1", "--timeout", "0.001")
SUPPORT = "contact the service's support"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "a.jsonl", 2)


def write(path: Path, rows: int, *, first: str = "") -> Path:
    path.write_text(first + '{"displayName": "a"}\n' * rows)
    return path


def results(file: Path) -> list[dict[str, Any]]:
    lines = file.with_name(f"{file.name}.results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("rows", "stops"), [(2, False), (60, True)])
def test_an_import_without_a_service(
    piped: Command, tmp_path: Path, rows: int, *, stops: bool
) -> None:
    file = write(tmp_path / "a.jsonl", rows)
    ended = piped("import", str(file), *NOWHERE)
    assert ended.code == 4
    assert ended.err.startswith("Error: Row 1 (line 1): ")
    assert ended.err.endswith("Run `conversations doctor` to find the cause.\n")
    assert ("50 consecutive rows failed." in ended.err) == stops
    assert piped("import", str(file), *NOWHERE).code == 4


def test_a_wrong_row_is_not_an_unreachable_service(piped: Command, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", 1, first='{"displayName": 5}\n')
    ended = piped("import", str(file), *NOWHERE)
    assert (ended.code, "doctor" in ended.err) == (1, False)


def test_a_rejected_key_is_not_an_unreachable_service(piped: Command, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", 60)
    with ScriptedServer([answer(401)] * 70) as server:
        ended = piped("import", str(file), "--base-url", server.url)
    assert ended.code == 1
    assert "50 consecutive rows failed. The last error: " in ended.err
    assert "api_key" not in ended.err


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--quiet", "--json"), ("--jsonl",)])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_first_errors_are_printed(
    piped: Command, shown: Command, tmp_path: Path, options: tuple[str, ...], *, is_terminal: bool
) -> None:
    file = write(tmp_path / "a.jsonl", 7)
    with ScriptedServer([answer(401)] * 7) as server:
        command = shown if is_terminal else piped
        ended = command("import", str(file), "--base-url", server.url, *options)
    assert ended.code == 1
    is_for_people = is_terminal and not options
    printed, other = (ended.out, ended.err) if is_for_people else (ended.err, ended.out)
    reasons = [line for line in printed.splitlines() if "returned 401" in line]
    prefix = "" if is_for_people else "Error: "
    numbers = [line.partition(" (line ")[0] for line in reasons]
    assert numbers == [f"{prefix}Row {number}" for number in range(1, 6)]
    assert f"{prefix}And 2 more.\n" in printed
    assert "returned 401" not in other
    assert "7 rows failed: see " in ended.err


def test_an_import_stops_if_the_service_asks_for_too_long_a_wait(
    piped: Command, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.jsonl", 300)
    throttled = answer(429, {}, retry_after="120")
    line = ("import", str(file), "--max-in-flight", "1")
    with ScriptedServer(itertools.chain([answer()], itertools.repeat(throttled))) as server:
        ended = piped(*line, "--base-url", server.url)
        assert len(server.seen) == 2
    assert ended.code == 1
    report = json.loads(ended.out)
    assert (report["created"], report["failed"], report["doubtful"]) == (1, 0, 0)
    assert ended.err == (
        "Error: The service asks to wait 120 s, which is longer than --retry-after-max 60: run the "
        "same command again after that, or pass --retry-after-max 120. The import stopped after it "
        "created 1 conversation. Run the import again to continue.\n"
    )
    assert [each["status"] for each in results(file)] == ["created"]


@pytest.mark.parametrize(
    ("retry_after", "attempts", "advice"),
    [("120", "1", "120 and a higher --attempts. The"), ("60.4", "3", "61. The")],
)
def test_the_advice_after_a_long_wait_helps(
    piped: Command, tmp_path: Path, retry_after: str, attempts: str, advice: str
) -> None:
    file = write(tmp_path / "a.jsonl", 1)
    with ScriptedServer([answer(429, {}, retry_after=retry_after)]) as server:
        ended = piped("import", str(file), "--attempts", attempts, "--base-url", server.url)
    assert f"again after that, or pass --retry-after-max {advice}" in ended.err


def test_the_options_for_retries(piped: Command, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", 2)
    throttled = answer(429, {}, retry_after="0")
    line = ("import", str(file), "--max-in-flight", "1", "--attempts", "2")
    with ScriptedServer([throttled, throttled, answer()]) as server:
        ended = piped(*line, "--base-url", server.url)
    assert ended.code == 1
    failed, created = results(file)
    assert created["status"] == "created"
    assert failed["error"] == (
        "The service returned 429 Too Many Requests. Send fewer requests, or pass a higher "
        "--attempts. Gave up after 2 attempts (--attempts)."
    )


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--attempts", "0", "--attempts must be more than 0."),
        ("--retry-after-max", "-1", "--retry-after-max must be at least 0."),
        ("--retry-after-max", "nan", "--retry-after-max must be at most 2592000."),
        ("--retry-after-max", "2592001", "--retry-after-max must be at most 2592000."),
        ("--retry-after-max", "inf", "--retry-after-max must be at most 2592000."),
    ],
)
def test_a_wrong_option_for_retries(
    piped: Command, tmp_path: Path, option: str, value: str, problem: str
) -> None:
    ended = piped("import", str(write(tmp_path / "a.jsonl", 1)), option, value)
    assert ended.code == 2
    assert ended.err == f"Error: {problem} See `conversations import --help`.\n"


def test_the_longest_wait_that_the_client_allows(piped: Command, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", 0)
    assert piped("import", str(file), "--retry-after-max", "2592000").code == 0


def test_a_wait_is_announced_once(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "_MIN_SECONDS", 0.0)
    file = write(tmp_path / "a.jsonl", 3)
    script = [answer(429, {}, retry_after="0.001"), *[answer()] * 3]
    with ScriptedServer(script) as server:
        ended = piped("import", str(file), "--max-in-flight", "1", "--base-url", server.url)
    assert (ended.code, ended.err) == (0, "The service is throttling: waiting 1 s.\n")


def test_the_wait_of_a_single_call_is_announced(
    piped: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "_MIN_SECONDS", 0.0)
    page = answer(200, {"object": "list", "data": [], "has_more": False})
    with ScriptedServer([answer(429, {}, retry_after="0"), page]) as server:
        ended = piped("list", "--base-url", server.url)
    assert ended.err == "The service is throttling: waiting 0 s.\n"


@pytest.mark.parametrize(
    ("status", "pause", "announced"),
    [(429, 3.0, "3"), (429, 3.5, "4"), (429, 2.9, None), (500, 8.0, None)],
)
def test_only_long_waits_because_of_throttling_are_announced(
    capsys: pytest.CaptureFixture[str], status: int, pause: float, announced: str | None
) -> None:
    request = RequestInfo(method="GET", template="/", path="/", attempt=1, idempotency_key=None)
    response = ResponseInfo(
        request=request, status=status, error=None, request_id=None, elapsed=0.0
    )
    waits.announce_retry(RetryInfo(response=response, pause=pause))
    expected = f"The service is throttling: waiting {announced} s.\n" if announced else ""
    assert capsys.readouterr().err == expected


def test_unreachable_rows_are_counted() -> None:
    rows = RowOutcomes(lambda _: None)
    for exception in (ConnectError("no connection"), None):
        rows(Entry(1, "", State.FAILED, "no connection", exception=exception))
    assert (rows.count, rows.unreachable) == (2, 1)


def test_doubtful_rows_and_what_to_do(piped: Command, shown: Command, file: Path) -> None:
    with ScriptedServer([answer(500), answer(200, CONVERSATION)]) as server:
        line = ("import", str(file), "--base-url", server.url, "--max-in-flight", "1")
        for command in (piped, shown, piped):
            ended = command(*line)
            assert ended.code == 5
            assert "Running the import again doesn't send these rows, unless you add" in ended.err
            assert SUPPORT not in ended.out + ended.err
        assert len(server.seen) == 2
    doubtful, created = results(file)
    assert doubtful["error"] == (
        "The service returned 500 Internal Server Error. Check whether the conversation exists: "
        "running the import again doesn't send this row, unless you add --trust-idempotency-keys."
    )
    assert created["id"] == CONVERSATION["_id"]


def test_doubtful_rows_that_are_sent_again(piped: Command, file: Path) -> None:
    script = [HANG_UP] * 20
    with ScriptedServer(script) as server:
        line = ("import", str(file), "--base-url", server.url, "--timeout", "0.2")
        ended = piped(*line, "--trust-idempotency-keys")
    assert ended.code == 5
    assert ended.err.endswith(
        "Run the same command again to send the rows that may have been imported again.\n"
    )
    assert not any("Check whether" in each["error"] for each in results(file))


def test_an_unpaired_surrogate(piped: Command, tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", 0, first='{"displayName": "bad\\ud800"}\n')
    assert piped("import", str(file)).code == 1
    assert results(file)[0]["error"] == (
        "displayName contains an unpaired surrogate such as \\ud800, which is half of a character: "
        "replace it."
    )


@pytest.mark.parametrize(
    ("options", "refused"),
    [((), "--journal and --results"), (("--results", "/dev/null"), "--journal")],
)
def test_a_folder_without_permission(
    *,
    piped: Command,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    refused: str,
) -> None:
    def access(_path: Path, _mode: int) -> bool:
        return False

    monkeypatch.setattr(os, "access", access)
    ended = piped("import", str(file), *options, "--base-url", "http://127.0.0.1:1")
    assert (ended.code, ended.err) == (
        2,
        (
            f"Error: You don't have permission to create files in {file.parent}. Nothing was sent. "
            f"Choose files in another folder with {refused}.\n"
        ),
    )


def test_a_journal_that_is_a_folder(piped: Command, file: Path) -> None:
    journal = file.with_name("journal")
    journal.mkdir()
    ended = piped("import", str(file), "--journal", str(journal))
    assert (ended.code, ended.err) == (
        2,
        (
            f"Error: The journal {journal} can't be used: it is a folder. Use another file with "
            "--journal.\n"
        ),
    )
