"""`export`, against a sandbox."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from command_line import Command, Terminal
from scripted import ScriptedServer, answer

from conversations_client import Client
from conversations_client.bulk._database import Database
from conversations_client.cli._commands import exports
from conversations_client.sandbox import Sandbox

pytest_plugins = ["command_line_fixtures"]

OTHERS = "agents and deployments (add --entity-id for each of them)"


def create(client: Client, entity_id: str | None, count: int = 1, name: str = "a") -> list[str]:
    """The IDs of new conversations, newest first."""
    made = [
        client.conversations.create(display_name=name, metadata={"entity_id": entity_id})
        for _ in range(count)
    ]
    return [str(one.id) for one in reversed(made)]


def ids(path: Path) -> list[str]:
    return [json.loads(line)["_id"] for line in path.read_text().splitlines()]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def entity(tmp_path: Path) -> str:
    return tmp_path.name


def test_an_export_stops_if_the_service_asks_for_too_long_a_wait(
    piped: Command, client: Client, sandbox: Sandbox, tmp_path: Path, entity: str
) -> None:
    create(client, entity, 3)
    line = ("export", str(tmp_path / "a.jsonl"), "--messages", "--entity-id", entity)
    sandbox.fail_next(429, retry_after=90, times=3, path="/v2/conversations/conv_*")
    ended = piped(*line, "--max-in-flight", "1", "--attempts", "2", "--retry-after-max", "80")
    assert len(sandbox.disruptions) == 2
    sandbox.clear_disruptions()
    assert ended.code == 1
    assert ended.err.startswith("Stopped. Run the same command again to resume the export.\nError:")
    assert "asks to wait 90 s, which is longer than --retry-after-max 80: run the" in ended.err
    assert "Wait 90 s" not in ended.err


@pytest.mark.parametrize("options", [[], ["--messages"]])
def test_the_advice_after_a_long_wait_with_a_single_attempt(
    *, piped: Command, tmp_path: Path, options: list[str]
) -> None:
    path = tmp_path / "a.jsonl"
    with ScriptedServer([answer(429, {}, retry_after="120")]) as server:
        line = ("export", str(path), *options, "--attempts", "1", "--base-url", server.url)
        ended = piped(*line)
    assert ended.code == 1
    assert (
        "The service returned 429 Too Many Requests. The service asks to wait 120 s, which is "
        "longer than --retry-after-max 60: run the same command again after that, or pass "
        "--retry-after-max 120 and a higher --attempts. (GET /v2/conversations/)"
    ) in ended.err


@pytest.mark.parametrize("messages", [[], ["--messages"]])
def test_every_listing_can_be_exported_and_omissions_are_reported(
    *, piped: Command, client: Client, tmp_path: Path, entity: str, messages: list[str]
) -> None:
    path = tmp_path / "a.jsonl"
    one, other = f"{entity}_1", f"{entity}_2"
    alone, ones, others = create(client, None), create(client, one, 2), create(client, other, 2)
    for options, left_out in {
        (): f"conversations of {OTHERS}",
        ("--entity-id", one): "standalone conversations (add --standalone) "
        f"and those of other {OTHERS}",
        ("--entity-id", other, "--entity-id", one, "--entity-id", other): (
            f"standalone conversations (add --standalone) and those of other {OTHERS}"
        ),
        ("--entity-id", one, "--standalone"): f"conversations of other {OTHERS}",
    }.items():
        ended = piped("export", str(path), *options, *messages)
        assert ended.code == 0
        report = json.loads(ended.out)
        assert (report["file"], report["left_out"]) == (str(path), left_out)
        assert f"Not included: {left_out}." in words(ended.err)
        found = ids(path)
        assert report["exported"] == len(found)
        standalone = not options or "--standalone" in options
        assert (set(alone) <= set(found)) is standalone
        wanted = [*others, *ones] if other in options else ones if options else []
        assert [each for each in found if each in {*ones, *others}] == wanted
        entities = [other, one] if other in options else [one] if options else []
        assert report["entity_ids"] == [None] * standalone + entities


def test_an_export_for_people(shown: Command, client: Client, tmp_path: Path, entity: str) -> None:
    create(client, entity, 2)
    path = tmp_path / "a.csv"
    ended = shown("export", str(path), "--entity-id", entity)
    assert words(ended.out).replace(" ", "") == f"Exported2conversationsto{path}."
    assert "Not included: standalone conversations (add" in words(ended.err)


@pytest.mark.parametrize("options", [[], ["--messages"]])
def test_no_conversation_is_exported_twice(
    piped: Command, tmp_path: Path, revision: int, options: list[str]
) -> None:
    """Revision 1 lists the conversations of all entities, regardless of the request."""
    path = tmp_path / "a.jsonl"
    with (
        Sandbox(revision=revision) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        target = ("--api-key", sandbox.api_key, "--base-url", sandbox.url)
        entities = ("--entity-id", "agent_1", "--entity-id", "agent_2")
        ids = {
            client.conversations.create(metadata={"entity_id": f"agent_{n}"}).id for n in (1, 2, 1)
        }
        assert piped("export", str(path), *entities, *options, *target).code == 0
        exported = [json.loads(line)["_id"] for line in path.read_text().splitlines()]
        listed = json.loads(piped("list", "--all", *entities, *target).out)
    assert len(exported) == len(listed) == 3
    assert set(exported) == {one["_id"] for one in listed} == ids


def test_messages_are_exported(piped: Command, client: Client, tmp_path: Path, entity: str) -> None:
    first, second = create(client, entity, 2)
    client.conversations.responses.create(second, message="hello", model="sandbox/echo")
    path = tmp_path / "a.jsonl"
    ended = piped("export", str(path), "--entity-id", entity, "--messages")
    assert ended.code == 0
    report = json.loads(ended.out)
    del report["left_out"]
    assert report == {
        "exported": 2,
        "deleted": 0,
        "failed": 0,
        "without_messages": 0,
        "failures": [],
        "is_written": True,
        "file": str(path),
        "entity_ids": [entity],
    }
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["_id"] for line in lines] == [first, second]
    assert [len(line["messages"]) for line in lines] == [0, 2]
    assert list(tmp_path.iterdir()) == [path]


CONVERSATION = {
    "kind": "conversation",
    "displayName": "a",
    "createdAt": 1734789600000,
    "updatedAt": 1734793200000,
}


def page(count: int) -> bytes:
    data = [{**CONVERSATION, "_id": f"conv_{number}"} for number in range(count)]
    return answer(200, {"object": "list", "data": data, "has_more": False})


def found(number: int, **fields: object) -> bytes:
    return answer(200, {**CONVERSATION, "_id": f"conv_{number}", **fields})


def test_an_incomplete_export_is_resumed(piped: Command, shown: Command, tmp_path: Path) -> None:
    path, journal = tmp_path / "a.jsonl", tmp_path / "elsewhere"
    script = [
        page(4),
        *[found(0, messages=[]), answer(400, {"message": "no"}), answer(404), found(3)],
        *[found(0), found(1), found(3)],  # checks the workspace
        answer(400, {"message": "no"}),
    ]
    with ScriptedServer(script) as server:
        arguments = (
            *("export", str(path), "--base-url", server.url, "--messages"),
            *("--max-in-flight", "1", "--rate", "1000", "--journal", str(journal)),
        )
        ended = piped(*arguments)
        assert (ended.code, path.exists(), journal.exists()) == (1, False, True)
        report = json.loads(ended.out)
        assert (report["exported"], report["failed"], report["is_written"]) == (2, 1, False)
        told = words(ended.err)
        assert "Error: conv_1: The service returned 400 Bad Request: no." in told
        assert (
            f"1 conversation could not be retrieved, so {path} was not written. Run the same"
            in told
        )
        ended = shown(*arguments, "--skip-failed")
    assert (ended.code, journal.exists()) == (0, False)
    assert ids(path) == ["conv_0", "conv_3"]
    told = words(ended.err)
    assert "1 conversation was deleted after it was listed and is not in the file." in told
    assert "The service sent no messages for 1 conversation." in told
    assert "1 conversation could not be retrieved and is not in the file." in told
    assert "Exported 2 conversations to" in words(ended.out)


def test_an_export_for_people_that_is_not_written(shown: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with ScriptedServer([page(1), answer(400)]) as server:
        ended = shown("export", str(path), "--base-url", server.url, "--messages")
    assert (ended.code, ended.out) == (1, "")


def test_after_an_error_the_export_can_be_resumed(piped: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with ScriptedServer([answer(401)]) as server:
        ended = piped("export", str(path), "--base-url", server.url, "--messages")
    assert ended.code == 1
    assert "Stopped. Run the same command again to resume the export." in ended.err
    assert "401" in ended.err
    assert (tmp_path / "a.jsonl.export").exists()


def test_after_ctrl_c_the_export_can_be_resumed(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "export_with_messages", stopped)
    ended = piped("export", str(tmp_path / "a.jsonl"), "--messages")
    assert ended.code == 130
    assert "Stopped. Run the same command again to resume the export." in ended.err


@pytest.mark.usefixtures("environment")
def test_an_export_from_the_local_sandbox_is_resumed_at_another_port(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"displayName": "a"}\n' * 5)
    assert piped("import", str(rows), "--sandbox").code == 0
    path = tmp_path / "a.jsonl"
    line = ("export", str(path), "--sandbox", "--messages")
    monkeypatch.setenv("TERM", "xterm")  # so that the bar moves
    with Terminal(*line, "--rate", "1") as terminal:
        terminal.until("1/5")
        terminal.press("\x03")
        assert terminal.end() == 130
    assert "Run the same command again to resume the export." in " ".join(terminal.seen.split())
    ended = piped("export", str(path), "--messages")
    assert ended.code == 2
    assert f"the standalone conversations from --sandbox {tmp_path}/conversations" in ended.err
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("XDG_DATA_HOME", str(tmp_path / "other"))
        assert piped(*line).code == 2
    ended = piped(*line)
    assert (ended.code, json.loads(ended.out)["exported"]) == (0, 5)
    assert len(ids(path)) == 5


def test_formulas_are_escaped_on_request(
    piped: Command, client: Client, tmp_path: Path, entity: str
) -> None:
    create(client, entity, name="=1+1")
    path = tmp_path / "a.csv"
    for options, name in (((), "=1+1"), (("--escape-formulas",), "'=1+1")):
        assert piped("export", str(path), "--entity-id", entity, *options).code == 0
        with path.open(newline="") as file:
            assert [row["displayName"] for row in csv.DictReader(file)] == [name]


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        (
            "nightly.json",
            [],
            (
                "nightly.json has an unknown format. Its name must end in .jsonl or .ndjson (JSON "
                "Lines), .csv (CSV), or .parquet (Parquet)."
            ),
        ),
        (
            "a.tsv",
            [],
            "Its name must end in .jsonl or .ndjson (JSON Lines), .csv (CSV), or .parquet (Parquet).",
        ),
        (
            "a.json",
            ["--messages"],
            "must end in .jsonl or .ndjson (JSON Lines), or .parquet (Parquet).",
        ),
        ("a", ["--escape-formulas"], "a has an unknown format. Its name must end in .csv (CSV)."),
        ("a.csv", ["--messages"], "CSV can't store messages. Export them to a file that ends in"),
        ("a.jsonl", ["--escape-formulas"], "Choose a file that ends in .csv."),
        ("a.jsonl", ["--messages", "--escape-formulas"], "--escape-formulas is for CSV, which"),
        ("a.jsonl", ["--rate", "3"], "--rate works only with --messages. Add --messages or remove"),
        ("a.jsonl", ["--max-in-flight", "3"], "--max-in-flight works only with --messages"),
        ("a.jsonl", ["--skip-failed"], "--skip-failed works only with --messages"),
        ("a.jsonl", ["--journal", "b"], "--journal works only with --messages"),
        ("a.jsonl", ["--entity-id", ""], "--entity-id is empty"),
        ("a.jsonl", ["--entity-id", "", "--messages"], "--entity-id is empty"),
        ("no/a.jsonl", [], "no/a.jsonl can't be written: the folder {}/no doesn't exist."),
        ("no/a.jsonl", ["--messages"], "can't be written: the folder {}/no doesn't exist."),
        (
            "a.jsonl",
            ["--messages", "--journal", "no/b"],
            "The journal no/b can't be created: the folder no doesn't exist.",
        ),
        ("folder.jsonl", [], "folder.jsonl can't be written: Is a directory."),
        ("folder.jsonl", ["--messages"], "folder.jsonl can't be written: Is a directory."),
        ("file/a.jsonl", [], "file/a.jsonl can't be written: Not a directory."),
    ],
)
def test_invalid_options_are_found_before_anything_is_sent(
    *, piped: Command, tmp_path: Path, name: str, options: list[str], problem: str
) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "file").touch()
    ended = piped("export", str(tmp_path / name), *options, "--base-url", "http://127.0.0.1:1")
    assert ended.code == 2
    assert problem.format(tmp_path) in words(ended.err)
    assert "Errno" not in ended.err
    assert "resumes" not in ended.err
    assert "jq" not in ended.err
    assert {one.name for one in tmp_path.iterdir()} == {"folder.jsonl", "file"}


def test_an_export_to_stdout_is_never_a_json_array(piped: Command) -> None:
    ended = piped("export", "-", "--json", "--base-url", "http://127.0.0.1:1")
    assert (ended.code, ended.out) == (2, "")
    assert "An export to stdout is JSON Lines. Remove --json, or pass a file." in ended.err


@pytest.mark.parametrize("options", [[], ["--messages"]])
def test_a_service_that_cant_be_reached_is_not_the_fault_of_the_file(
    piped: Command, tmp_path: Path, options: list[str]
) -> None:
    target = ("--base-url", "http://127.0.0.1:1", "--timeout", "0.3")
    ended = piped("export", str(tmp_path / "a.jsonl"), *options, *target)
    assert ended.code == 4
    assert "can't be written" not in ended.err
    assert "conversations doctor" in ended.err


def test_a_full_disk_is_explained(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(exports, "export_file", full)
    ended = piped("export", str(tmp_path / "a.jsonl"))
    assert ended.code == 1
    assert "a.jsonl can't be written: No space left on device." in words(ended.err)
    assert "Errno" not in ended.err


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_full_disk_is_no_wrong_option(
    piped: Command, client: Client, tmp_path: Path, entity: str, name: str
) -> None:
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
    create(client, entity)
    path = tmp_path / name
    path.symlink_to("/dev/full")
    messages = ("--messages",) * (name != "a.csv")
    for options in ((), messages):
        ended = piped("export", str(path), "--entity-id", entity, *options)
        assert (ended.code, "No space left on device" in ended.err) == (1, True)
        is_resumable = "Run the same command again to resume the export." in ended.err
        assert is_resumable is bool(options)


def test_a_full_disk_of_a_journal_is_no_wrong_option(
    piped: Command, client: Client, tmp_path: Path, entity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(client, entity, name="a" * 100, count=100)
    set_up = Database._set_up

    def set_up_small(database: Database, *arguments: Any) -> None:
        set_up(database, *arguments)
        database._connection.execute("PRAGMA max_page_count = 10")

    monkeypatch.setattr(Database, "_set_up", set_up_small)
    ended = piped("export", str(tmp_path / "a.jsonl"), "--messages", "--entity-id", entity)
    assert (ended.code, "database or disk is full" in ended.err) == (1, True)
    assert "Run the same command again to resume the export." in ended.err


def test_an_export_to_a_wrong_location_is_not_resumable(piped: Command, tmp_path: Path) -> None:
    ended = piped("export", str(tmp_path / "missing" / "a.jsonl"), "--messages")
    assert (ended.code, "resume" in ended.err) == (2, False)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("messages", [(), ("--messages",)])
def test_progress_is_shown_at_a_terminal(
    client: Client, tmp_path: Path, entity: str, messages: tuple[str, ...]
) -> None:
    create(client, entity, 3)
    path = tmp_path / "a.jsonl"
    with Terminal("export", str(path), "--entity-id", entity, *messages) as terminal:
        assert terminal.end() == 0
    assert ("3/3" if messages else "3/?") in terminal.seen


def test_every_listing_can_be_shown_and_omissions_are_reported(
    piped: Command, client: Client, entity: str
) -> None:
    one, other = f"{entity}_1", f"{entity}_2"
    first_others, ones = create(client, other), create(client, one, 2)
    alone, others = create(client, None), create(client, other)
    newest_first = [*others, *ones, *first_others]

    def listed(*options: str) -> tuple[list[str], str]:
        ended = piped("list", *options)
        assert ended.code == 0
        return [found["_id"] for found in json.loads(ended.out)], words(ended.err)

    found, told = listed("--all", "--entity-id", one, "--entity-id", other)
    assert found == newest_first
    assert (
        f"Not included: standalone conversations (add --standalone) and those of other {OTHERS}."
        in told
    )
    found, told = listed("--all", "--standalone", "--entity-id", one)
    assert found[:3] == [*alone, *ones]
    assert f"Not included: conversations of other {OTHERS}." in told
    found, told = listed("--all")
    assert found[0] == alone[0]
    assert f"Not included: conversations of {OTHERS}." in told
    assert listed("--limit", "3", "--entity-id", one, "--entity-id", other) == (
        newest_first[:3],
        "There are more conversations. List them with --limit or --all.",
    )
    assert listed("--limit", "4", "--entity-id", one, "--entity-id", other) == (newest_first, "")
