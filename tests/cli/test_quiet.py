"""`--quiet` omits notes and progress bars from stderr, but no errors or warnings."""

import sys
from pathlib import Path

import pytest
from command_line import Command

from conversations_client import Client

pytest_plugins = ["command_line_fixtures"]


@pytest.fixture
def gone(client: Client, tmp_path: Path) -> Path:
    """A file with the ID of a conversation, after one that no longer exists."""
    file = tmp_path / "ids"
    file.write_text(f"conv_gone\n{client.conversations.create().id}\n")
    return file


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["export", "{folder}/a.csv"], "Not included"),
        (["export", "{folder}/a.jsonl", "--messages"], "Not included"),
        (["export", "-"], "Not included"),
        (["list", "--all"], "Not included"),
        (["list", "--limit", "1"], "There are more conversations"),
        (["delete", "--yes", "--file", "{folder}/ids"], "1 was already gone"),
        (["delete", "--yes", "--file", "{folder}/empty"], "There are no IDs"),
    ],
)
def test_a_command_that_succeeds_prints_nothing_to_stderr(
    piped: Command, client: Client, gone: Path, arguments: list[str], note: str
) -> None:
    client.conversations.create()
    (gone.parent / "empty").touch()
    line = [each.format(folder=gone.parent) for each in arguments]
    for options, is_printed in {("--quiet",): False, (): True}.items():
        text = gone.read_text()
        ended = piped(*line, *options)
        assert (ended.code, note in ended.err) == (0, is_printed)
        assert ended.out
        if not is_printed:
            assert ended.err == ""
        gone.write_text(text.replace(text.split()[1], f"{client.conversations.create().id}"))


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
    assert (ended.code, ended.err) == (1, f"Error: 1 row failed: see {file}.results.jsonl.\n")
