"""`import` and `export`, against a sandbox."""

import json
from pathlib import Path

import pytest
from command_line import Command, Terminal
from rich.progress import Progress
from scripted import HANG_UP, ScriptedServer, answer

from conversations_client import Client
from conversations_client.cli import _bulk
from conversations_client.cli._progress import Rate

pytest_plugins = ["command_line_fixtures"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text(
        "".join(
            json.dumps({"displayName": f"row {number}", "metadata": {"entityId": tmp_path.name}})
            + "\n"
            for number in range(5)
        )
    )
    return path


def test_what_is_imported_is_exported(
    piped: Command, shown: Command, file: Path, client: Client
) -> None:
    ended = piped("import", str(file), "--rate", "1000")
    results = file.with_name("a.jsonl.results.jsonl")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == {
        "created": 5,
        "failed": 0,
        "doubtful": 0,
        "new": 5,
        "results": str(results),
    }
    made = {one.id for one in client.conversations.list(entity_id=file.parent.name)}
    assert {json.loads(line)["id"] for line in results.read_text().splitlines()} == made
    assert len(made) == 5
    again = shown("import", str(file))
    assert "".join(again.out.split()) == f"5created,0failed,0doubtful:{results}haseachrow."
    copy = file.with_name("copy.csv")
    ended = piped("export", str(copy), "--entity-id", file.parent.name)
    assert json.loads(ended.out)["exported"] == 5
    assert len(copy.read_text().splitlines()) == 6
    ended = shown("export", str(copy), "--entity-id", file.parent.name)
    assert "".join(ended.out.split()) == f"5conversationsarein{copy}."


@pytest.mark.parametrize(
    ("script", "options", "code", "counts"),
    [
        ([answer(422), *[answer()] * 4], [], 1, (4, 1, 0)),
        ([HANG_UP, *[answer()] * 4], [], 5, (4, 0, 1)),
        ([HANG_UP, *[answer()] * 5], ["--trust-idempotency-keys"], 0, (5, 0, 0)),
    ],
)
def test_an_import_that_is_not_whole(
    *,
    piped: Command,
    file: Path,
    script: list[bytes],
    options: list[str],
    code: int,
    counts: tuple[int, int, int],
) -> None:
    journal = file.with_name("elsewhere")
    with ScriptedServer(script) as server:
        ended = piped(
            "import",
            *(str(file), "--base-url", server.url, "--max-in-flight", "1"),
            *("--journal", str(journal), *options),
        )
    report = json.loads(ended.out)
    assert (ended.code, (report["created"], report["failed"], report["doubtful"])) == (code, counts)
    assert journal.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["import", "a.txt"], 2, "a.txt is of an unknown kind"),
        (["import", "missing.jsonl"], 2, "missing.jsonl can't be read: No such file or directory."),
        (["import", "missing.jsonl", "--rate", "0"], 2, "Must be > 0"),
    ],
)
def test_a_file_that_wont_do(piped: Command, arguments: list[str], code: int, words: str) -> None:
    ended = piped(*arguments)
    assert ended.code == code
    assert words in " ".join(ended.err.split())


def test_a_directory_is_no_file(piped: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    ended = piped("import", str(tmp_path / "a.jsonl"))
    assert (ended.code, "can't be read: Is a directory." in ended.err) == (2, True)


def test_the_first_row_that_failed_is_told(shown: Command, file: Path) -> None:
    file.write_text('{"name": "a"}\n{"name": "b", "displayName": "b"}\n{"displayName": "c"}\n')
    ended = shown("import", str(file))
    assert ended.code == 1
    told = " ".join(ended.out.split())
    assert "1 created, 2 failed, 0 doubtful" in told
    assert (
        "Row 1: Unknown field 'name': did you mean 'displayName'? A row has displayName, projectId, metadata.entityId"
        in told
    )
    assert "Row 2" not in told


def test_results_without_their_journal_are_not_created_once_more(
    piped: Command, file: Path
) -> None:
    results = file.with_name("a.jsonl.results.jsonl")
    results.write_text("of another import")
    ended = piped("import", str(file))
    assert ended.code == 2
    assert "tells of an import whose journal is not" in ended.err
    assert results.read_text() == "of another import"
    assert not file.with_name("a.jsonl.journal").exists()


def test_ctrl_c_tells_how_to_go_on(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_bulk, "import_file", stopped)
    ended = piped("import", str(file))
    results = file.with_name("a.jsonl.results.jsonl")
    assert ended.code == 130
    assert f"Stopped; the same command goes on. {results} has each row so far." in ended.err
    assert results.read_text() == ""


@pytest.mark.usefixtures("environment")
def test_progress_is_shown_at_a_terminal(file: Path) -> None:
    with Terminal("import", str(file)) as terminal:
        assert terminal.end() == 0
    assert "5/5" in terminal.seen
    assert "5 created, 0 failed, 0 doubtful" in terminal.seen


def test_the_rate_is_told_when_there_is_one() -> None:
    now = 0.0
    progress = Progress(get_time=lambda: now)
    task = progress.add_task("", total=6_000)
    assert str(Rate().render(progress.tasks[0])) == ""
    for now in (1.0, 2.0):  # noqa: B007 - read by the clock
        progress.advance(task, 3_000)
    assert str(Rate().render(progress.tasks[0])) == "3,000/s"
