"""`import --dry-run` checks every row, sends nothing and writes no files."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from command_line import Command, Ended

from conversations_client import Client
from conversations_client.sandbox import Sandbox

pytest_plugins = ["command_line_fixtures"]

NOTE = "This was a dry run: nothing was sent, and no file was written.\n"
PROBLEMS = (
    "Error: Row 2 (line 2): displayName must be a string, not a number.\n"
    "Error: Row 3 (line 3): displayName has 101 characters; the API allows at most 100: shorten "
    "it.\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows" / "a.jsonl"
    path.parent.mkdir()
    names = ["Roadmap", 5, "x" * 101, "Support"]
    path.write_text("".join(f"{json.dumps({'displayName': name})}\n" for name in names))
    return path


def report(ended: Ended) -> list[object]:
    printed = json.loads(ended.out)
    assert printed["results"] is None
    return [printed[name] for name in ("new", "created_before", "failed", "doubtful")]


def test_invalid_rows_are_found(
    piped: Command, shown: Command, file: Path, sandbox: Sandbox
) -> None:
    before = len(sandbox.requests)
    ended = piped("import", str(file), "--dry-run")
    assert (ended.code, report(ended), ended.err) == (1, [2, 0, 2, 0], PROBLEMS + NOTE)
    expected = Ended(1, "2 to create, 2 invalid, 0 doubtful.\n", PROBLEMS + NOTE)
    assert shown("import", str(file), "--dry-run") == expected
    quiet = piped("import", str(file), "--dry-run", "--quiet")
    assert quiet == Ended(1, "", PROBLEMS)
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert len(sandbox.requests) == before


def test_the_options_for_columns_apply(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name,id\nRoadmap,7\n")
    assert piped("import", str(file), "--dry-run").code == 2
    options = ("--map", "displayName=name", "--ignore", "id", "--base-url", "http://127.0.0.1:1")
    ended = piped("import", str(file), "--dry-run", *options)
    assert (ended.code, report(ended)) == (0, [1, 0, 0, 0])


def test_rows_from_earlier_runs_count(
    piped: Command, shown: Command, file: Path, sandbox: Sandbox, client: Client
) -> None:
    assert piped("import", str(file)).code == 1
    file.write_text(file.read_text().replace("5", '"Five"'))
    files = {each: each.read_bytes() for each in file.parent.iterdir()}
    made = len(list(client.conversations.list()))
    ended = piped("import", str(file), "--dry-run")
    assert (ended.code, report(ended)) == (1, [1, 2, 1, 0])
    people = shown("import", str(file), "--dry-run").out
    assert people == "1 to create, 2 already created, 1 invalid, 0 doubtful.\n"
    assert {each: each.read_bytes() for each in file.parent.iterdir()} == files
    assert len(list(client.conversations.list())) == made
    elsewhere = piped("import", str(file), "--dry-run", "--base-url", "http://127.0.0.1:1")
    assert (elsewhere.code, "--change-destination" in elsewhere.err) == (2, True)
    file.write_text(file.read_text().replace("Roadmap", "Changed"))
    changed = piped("import", str(file), "--dry-run")
    assert (changed.code, "Row 1 has changed" in changed.err) == (2, True)


def test_doubtful_rows_count(piped: Command, tmp_path: Path, sandbox: Sandbox) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n")
    sandbox.drop_next(after_acting=True)
    assert piped("import", str(file)).code == 5
    ended = piped("import", str(file), "--dry-run")
    assert (ended.code, report(ended)) == (5, [0, 0, 0, 1])
    ended = piped("import", str(file), "--dry-run", "--trust-idempotency-keys")
    assert (ended.code, report(ended)) == (0, [1, 0, 0, 0])


def test_rows_beside_the_journal_of_a_killed_import_count(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n{}\n")
    assert piped("import", str(file)).code == 0
    journal, kept = tmp_path / "a.jsonl.journal", tmp_path / "copy"
    connection = sqlite3.connect(journal)
    connection.execute("UPDATE entry SET state = 'failed' WHERE number = 1")
    connection.commit()  # as long as it is open, the change is only in the second file
    for each in tmp_path.glob("a.jsonl.journal*"):
        shutil.copy(each, kept.with_name(each.name.replace("a.jsonl.journal", "copy")))
    connection.close()
    assert kept.with_name("copy-wal").stat().st_size
    ended = piped("import", str(file), "--dry-run", "--journal", str(kept))
    assert report(ended) == [1, 1, 0, 0]


def test_the_sandbox_gets_nothing(piped: Command, file: Path) -> None:
    ended = piped("--sandbox", "import", str(file), "--dry-run")
    assert (ended.code, report(ended)) == (1, [2, 0, 2, 0])
    assert json.loads(piped("--sandbox", "list").out) == []


def edit(statement: str) -> Callable[[Path, Path], object]:
    def edit_journal(journal: Path, _: Path) -> None:
        connection = sqlite3.connect(journal)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return edit_journal


def overwrite(journal: Path, _: Path) -> None:
    journal.write_text("junk")


def replace_by_folder(journal: Path, _: Path) -> None:
    journal.unlink()
    journal.mkdir()


def leave_only_the_log(journal: Path, _: Path) -> None:
    journal.rename(journal.with_name(f"{journal.name}-wal"))


def change_a_row(_: Path, file: Path) -> None:
    file.write_text(file.read_text().replace("Roadmap", "Changed"))


def remove_rows(_: Path, file: Path) -> None:
    file.write_text(file.read_text().splitlines(keepends=True)[0])


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize(
    ("spoil", "options", "message"),
    [
        (None, ("--base-url", "http://127.0.0.1:1"), "{journal} belongs to a different dest"),
        (overwrite, (), "{journal} is not an import journal."),
        (edit("PRAGMA application_id = 7"), (), "{journal} is not an import journal."),
        (edit("DROP TABLE entry"), (), "{journal} is damaged: "),
        (edit("UPDATE entry SET state = 'lost'"), (), "{journal} is damaged. "),
        (replace_by_folder, (), "{journal} can't be used: it is a folder."),
        (leave_only_the_log, (), "{journal}-wal has rows of an earlier import, but its journal"),
        (None, ("--journal", "{folder}/none/j"), "{folder}/none/j can't be created: the folder"),
        (None, ("--journal", "{folder}/" + "j" * 300), "jj can't be used: File name too long."),
        (change_a_row, (), "Row 1 has changed since it was imported"),
        (remove_rows, (), "Row 4 was in the file when it was imported"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_errors_name_the_journal(
    piped: Command,
    file: Path,
    temporary: Path,
    *,
    spoil: Callable[[Path, Path], object] | None,
    options: tuple[str, ...],
    message: str,
) -> None:
    assert piped("import", str(file)).code == 1
    journal = file.with_name("a.jsonl.journal")
    if spoil is not None:
        spoil(journal, file)
    line = ["import", str(file), "--results", str(file.with_name("new"))]
    line += [each.format(folder=file.parent) for each in options]
    dry = piped(*line, "--dry-run")
    assert dry == piped(*line)
    assert (dry.code, dry.out) == (2, "")
    assert message.format(journal=journal, folder=file.parent) in dry.err
    assert str(temporary) not in dry.err


def test_a_lack_of_space_for_the_copy(
    piped: Command, file: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", Mock(return_value=Mock(total=1, free=0)))
    ended = piped("import", str(file), "--dry-run")
    copy = f"The journal {file}.journal (its copy in the folder for temporary files) needs about "
    assert (ended.code, copy in ended.err, str(temporary) in ended.err) == (1, True, False)


def test_a_row_with_only_a_key(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Nr,displayName\n1,\n2,a\n3,\n")
    assert piped("import", str(file), "--key", "Nr", "--dry-run").err == (
        "Error: Row 1 (line 2): The row has no values to import. Leave it, or fill in a field.\n"
        "Error: Row 3 (line 4): The row has no values to import. Leave it, fill in a field, or "
        f"remove all such rows at the end of the file.\n{NOTE}"
    )
