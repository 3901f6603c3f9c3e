"""`--quiet` omits notes, progress bars and reports, but no errors, warnings or data."""

import json
import sys
from pathlib import Path

import pytest
from command_line import Command, Ended
from scripted import ScriptedServer, answer

from conversations_client import Client
from conversations_client.cli._display import waits

pytest_plugins = ["command_line_fixtures"]


@pytest.fixture
def gone(client: Client, tmp_path: Path) -> Path:
    """A file with the ID of a conversation, after one that no longer exists."""
    file = tmp_path / "ids"
    file.write_text(f"conv_gone\n{client.conversations.create().id}\n")
    return file


@pytest.mark.parametrize(
    ("arguments", "note", "has_data"),
    [
        (["export", "{folder}/a.csv"], "Not included", False),
        (["export", "{folder}/a.jsonl", "--messages"], "Not included", False),
        (["export", "-"], "Not included", True),
        (["list", "--all"], "Not included", True),
        (["list", "--limit", "1"], "There are more conversations", True),
        (["delete", "--yes", "--file", "{folder}/ids"], "1 was already gone", False),
        (["delete", "--yes", "--file", "{folder}/empty"], "There are no IDs", False),
    ],
)
def test_a_command_that_succeeds_prints_nothing_to_stderr(
    piped: Command, client: Client, gone: Path, arguments: list[str], note: str, *, has_data: bool
) -> None:
    client.conversations.create()
    (gone.parent / "empty").touch()
    line = [each.format(folder=gone.parent) for each in arguments]
    for options, is_printed in {("--quiet",): False, (): True}.items():
        text = gone.read_text()
        ended = piped(*line, *options)
        assert (ended.code, note in ended.err) == (0, is_printed)
        assert bool(ended.out) is (has_data or is_printed)
        if not is_printed:
            assert ended.err == ""
        gone.write_text(text.replace(text.split()[1], f"{client.conversations.create().id}"))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_reports_are_printed_only_on_request(
    piped: Command,
    shown: Command,
    client: Client,
    tmp_path: Path,
    *,
    is_terminal: bool,
) -> None:
    command = shown if is_terminal else piped
    (tmp_path / "a.jsonl").write_text("{}\n")

    def lines() -> list[list[str]]:
        return [
            ["import", str(tmp_path / "a.jsonl")],
            ["export", str(tmp_path / "b.jsonl")],
            ["delete", "--yes", str(client.conversations.create().id)],
        ]

    for line in lines():
        assert command("--quiet", *line) == Ended(0, "", "")
    for line in lines():
        ended = command("--quiet", "--json", *line)
        assert (ended.code, bool(json.loads(ended.out)), ended.err) == (0, True, "")


def test_data_is_printed(piped: Command) -> None:
    conversation_id = json.loads(piped("--quiet", "create", "A").out)["_id"]
    for name, *options in (["show"], ["rename", "B"], ["update", "--name", "C"]):
        ended = piped("--quiet", name, conversation_id, *options)
        assert json.loads(ended.out)["_id"] == conversation_id


def test_waits_are_notes(piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "_MIN_SECONDS", 0.0)
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n")
    script = [answer(429, {}, retry_after="0.001"), answer()]
    with ScriptedServer(script) as server:
        ended = piped("--quiet", "import", str(file), "--base-url", server.url)
    assert ended == Ended(0, "", "")


@pytest.mark.parametrize("options", [(), ("--quiet",)])
def test_the_progress_bar(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n")
    with monkeypatch.context() as patched:
        patched.setattr(sys.stderr, "isatty", lambda: True)
        ended = piped("import", str(file), *options)
    assert (ended.code, bool(ended.err)) == (0, not options)


def test_problems_are_printed(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"displayName": 1}\n')
    ended = piped("import", str(file), "--quiet")
    assert ended == Ended(
        1,
        "",
        "Error: Row 1 (line 1): displayName must be a string, not a number.\n"
        f"Error: 1 row failed: see {file}.results.jsonl.\n",
    )
