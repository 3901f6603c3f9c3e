"""`import` and `export` with a sandbox."""

import json
import os
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest.mock import Mock

import pytest
from command_line import LONGEST_WAIT, Command, Terminal
from rich.progress import Progress
from scripted import HANG_UP, ScriptedServer, always, answer

from conversations_client import Client
from conversations_client.bulk import (
    Entry,
    ImportStoppedError,
    Journal,
    Report,
    State,
    write_results,
)
from conversations_client.cli._commands import exports, imports
from conversations_client.cli._display.output import Format, Output
from conversations_client.cli._display.progress import Bar, Rate, TimeLeft, progress_bar
from conversations_client.cli._imports import import_files
from conversations_client.cli._imports.import_files import ImportFiles
from conversations_client.cli._imports.import_run import ImportRun
from conversations_client.cli._imports.report import RowOutcomes

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


def test_imported_conversations_can_be_exported(
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
        "created_before": 0,
        "results": str(results),
    }
    made = {one.id for one in client.conversations.list(entity_id=file.parent.name)}
    assert {json.loads(line)["id"] for line in results.read_text().splitlines()} == made
    assert len(made) == 5
    again = shown("import", str(file))
    report = f"0new,5alreadycreated,0failed,0doubtful:{results}liststhestatusofeachrow."
    assert "".join(again.out.split()) == report
    again = piped("import", str(file))
    assert json.loads(again.out) == {
        "created": 5,
        "failed": 0,
        "doubtful": 0,
        "new": 0,
        "created_before": 5,
        "results": str(results),
    }
    copy = file.with_name("copy.csv")
    ended = piped("export", str(copy), "--entity-id", file.parent.name)
    assert json.loads(ended.out)["exported"] == 5
    assert len(copy.read_text().splitlines()) == 6
    ended = shown("export", str(copy), "--entity-id", file.parent.name)
    assert "".join(ended.out.split()) == f"Exported5conversationsto{copy}."


@pytest.mark.parametrize(
    ("script", "options", "code", "counts"),
    [
        ([answer(422), *[answer()] * 4], [], 1, (4, 1, 0)),
        ([HANG_UP, *[answer()] * 4], [], 5, (4, 0, 1)),
        ([HANG_UP, *[answer()] * 5], ["--trust-idempotency-keys"], 0, (5, 0, 0)),
    ],
)
def test_an_incomplete_import(
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
        (["import", "a.txt"], 2, "a.txt has an unknown format"),
        (["import", "missing.jsonl"], 2, "missing.jsonl can't be read: No such file or directory."),
        (["import", "missing.jsonl", "--rate", "0"], 2, "--rate must be more than 0."),
    ],
)
def test_an_unusable_file(piped: Command, arguments: list[str], code: int, words: str) -> None:
    ended = piped(*arguments)
    assert ended.code == code
    assert words in " ".join(ended.err.split())


def test_a_directory_is_not_a_file(piped: Command, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    ended = piped("import", str(tmp_path / "a.jsonl"))
    assert (ended.code, "can't be read: Is a directory." in ended.err) == (2, True)


def test_the_first_rows_that_failed_are_shown(shown: Command, file: Path) -> None:
    file.write_text(
        '{"name": "a"}\n\n{"name": "b", "displayName": "b"}\n{"displayName": "c"}\n' + "x\n" * 5
    )
    ended = shown("import", str(file), "--max-in-flight", "2")
    assert ended.code == 1
    lines = ended.out.split("\n")
    assert "1 created, 7 failed, 0 doubtful" in lines[0]
    assert lines[1].startswith("Row 1 (line 1): Unknown field 'name'. Did you mean 'displayName'?")
    assert "--map displayName=name, or ignore it with --ignore name." in lines[1]
    assert [line.partition(":")[0] for line in lines[2:6]] == [
        "Row 2 (line 3)",
        "Row 4 (line 5)",
        "Row 5 (line 6)",
        "Row 6 (line 7)",
    ]
    assert lines[6] == "And 2 more."


def test_the_results_name_options(piped: Command, file: Path) -> None:
    file.write_text('{"displayName": "a"}\n{"displayName": "b", "other": 1}\n')
    with ScriptedServer([answer(401, {}), HANG_UP]) as server:
        destination = ("--base-url", server.url, "--api-key", "wrong")
        assert piped("import", str(file), *destination).code == 1
    rows = (file.with_name("a.jsonl.results.jsonl")).read_text().splitlines()
    rejected, unknown = (json.loads(row)["error"] for row in rows)
    assert "--api-key" in rejected
    assert unknown.endswith("Rename the column, or ignore it with --ignore other.")
    assert "api_key" not in rejected


def test_failures_are_reported_on_stderr(piped: Command, shown: Command, file: Path) -> None:
    file.write_text('{"displayName": 1}\n{"displayName": "b"}\n{"displayName": 2}\n')
    for command in (piped, shown):
        ended = command("import", str(file))
        assert ended.code == 1
        assert f"Error: 2 rows failed: see {file}.results.jsonl.\n" in ended.err
    with ScriptedServer([HANG_UP]) as server:
        ended = piped(
            *("import", str(file), "--journal", str(file.with_name("other"))),
            *("--results", str(file.with_name("other.results"))),
            *("--base-url", server.url, "--max-in-flight", "1"),
        )
    assert ended.code == 5
    assert "Error: 2 rows failed and 1 row may have been imported: see" in ended.err


def test_options_for_an_unknown_column(piped: Command, file: Path) -> None:
    table = file.with_name("a.csv")
    table.write_text("a title,projectId\nx,y\n")
    ended = piped("import", str(table))
    assert ended.code == 2
    assert (
        "Unknown field 'a title'. The fields are displayName, projectId, metadata.entityId, "
        "metadata.generatingTitle, metadata.model. Rename the column, map it with "
        "--map 'displayName=a title', or ignore it with --ignore 'a title'."
    ) in ended.err
    assert ended.err.count("a.csv") == 1


@pytest.mark.parametrize(
    ("header", "options", "problem"),
    [
        ("customer_id,Title", ("--map", "displayName=title"), "'title'. Did you mean 'Title'?"),
        (
            "customer_id, Title ",
            ("--map", "displayName=title"),
            "'title'. Did you mean ' Title '? Spaces are part of a column's name.\n",
        ),
        (
            "customer_id,title",
            ("--map", "displayName=title,projectId=customer_id"),
            "'title,projectId=customer_id'. For several columns, repeat the option.\n",
        ),
        (
            "displayName,b,c",
            ("--ignore", "b,c"),
            "'b,c' to ignore. For several columns, repeat the option.\n",
        ),
        ("displayName,id", ("--key", "Id"), "'Id'. Did you mean 'id'?"),
        ("displayName,note", ("--ignore", "notes"), "'notes' to ignore. Did you mean 'note'?"),
    ],
)
def test_a_misspelt_column_comes_before_the_unknown_ones(
    piped: Command, file: Path, header: str, options: tuple[str, str], problem: str
) -> None:
    table = file.with_name("a.csv")
    table.write_text(f"{header}\nx,y\n")
    ended = piped("import", str(table), *options)
    assert (ended.code, f"a.csv: There is no column {problem}" in ended.err) == (2, True)


def test_all_unknown_columns_are_named_with_options(piped: Command, file: Path) -> None:
    table = file.with_name("a.csv")
    table.write_text(",projectId,name\n0,,y\n")
    ended = piped("import", str(table))
    assert ended.code == 2
    assert "a.csv: Unknown fields: '', 'name' (did you mean 'displayName'?). The" in ended.err
    assert "with --map displayName=name, or ignore them, for example with --ignore ''" in ended.err
    assert "Spaces" not in ended.err
    table.write_text("displayName , key\n0,x\n")
    ended = piped("import", str(table))
    assert ended.err.endswith(" --ignore 'displayName '. Spaces are part of a column's name.\n")
    table.write_text(",displayName,name\n0,x,y\n")
    ended = piped("import", str(table), "--ignore", "", "--ignore", "nam")
    assert ended.code == 2
    assert "a.csv: There is no column 'nam' to ignore. Did you mean 'name'?" in ended.err
    assert piped("import", str(table), "--ignore", "", "--ignore", "name").code == 0


def test_standard_streams(
    piped: Command, client: Client, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = piped("import", "-")
    assert (ended.code, "Save the input to a file first." in ended.err) == (2, True)
    assert piped("import", str(file)).code == 0
    ended = piped("export", "-", "--entity-id", file.parent.name)
    assert ended.code == 0
    made = [one.id for one in client.conversations.list(entity_id=file.parent.name)]
    assert [json.loads(line)["_id"] for line in ended.out.splitlines()] == made
    assert "Not included: " in ended.err
    monkeypatch.setattr(exports, "output_is_lost", lambda: True)
    assert piped("export", "-", "--entity-id", file.parent.name).err == ""
    for option in ("--messages", "--escape-formulas"):
        ended = piped("export", "-", option)
        assert (ended.code, ended.out) == (2, "")
        assert "pass a file" in ended.err


def test_a_command_in_an_error_can_be_copied(piped: Command, tmp_path: Path) -> None:
    content = '[\n{"displayName": "a"}\n]\n'
    for name, target in (("a.json", "a.jsonl"), ("b.jsonl", "lines-b.jsonl")):
        (tmp_path / name).write_text(content)
        ended = piped("import", str(tmp_path / name))
        assert ended.code == 2
        assert ended.err.endswith(f"for example with: jq -c '.[]' ./{name} > ./{target}\n")
    (tmp_path / "latin.csv").write_bytes("displayName\nMüller\n".encode("latin-1"))
    ended = piped("import", str(tmp_path / "latin.csv"))
    assert 'latin.csv is not UTF-8 (line 2). In a spreadsheet, save it as "CSV UTF-8".' in ended.err
    assert ended.err.endswith(" > ./utf-8-latin.csv\n")
    assert "codec" not in ended.err


def test_a_folder_is_no_file(piped: Command) -> None:
    ended = piped("import", ".")
    assert (ended.code, "Error: . is a folder. Import each file in it" in ended.err) == (2, True)
    ended = piped("export", ".")
    assert (ended.code, "Error: . is a folder. Add the name" in ended.err) == (2, True)


def test_files_of_other_kinds_are_recognized(piped: Command, tmp_path: Path) -> None:
    pipe = tmp_path / "63"
    os.mkfifo(pipe)
    for name, words in {
        "63": f"{pipe} is a pipe. An import reads its file more than once. Save the rows to a file",
        "a.csv.GZ": "Error: a.csv.GZ is compressed. Unpack it first, for example with: gzip -dc <",
        "a.zip": "Error: a.zip is compressed. Unpack it first.\n",
        "a.xlsx": "Error: a.xlsx is a workbook. Save the sheet as CSV in UTF-8.",
        "a.txt": f"Error: {tmp_path / 'a.txt'} has an unknown format.",
    }.items():
        if name != "63":
            ended = piped("import", str(tmp_path / name))
            assert f"{tmp_path / name} has an unknown format." in ended.err
            (tmp_path / name).touch()
        ended = piped("import", str(tmp_path / name))
        assert (ended.code, words in ended.err) == (2, True)
    ended = piped("import", os.devnull)
    assert (ended.code, f"{os.devnull} is not a regular file." in ended.err) == (2, True)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc")
def test_a_folder_that_takes_no_files(piped: Command) -> None:
    ended = piped("export", "/proc/a.csv")
    assert (
        ended.code,
        "/proc/a.csv can't be written: new files can't be created in /proc." in ended.err,
    ) == (
        2,
        True,
    )


def test_a_failed_row_is_corrected(piped: Command, file: Path) -> None:
    file.write_text('{"displayName": "a"}\n{"displayName": 5}\n')
    assert piped("import", str(file)).code == 1
    file.write_text('{"displayName": "a"}\n{"displayName": "b"}\n')
    report = json.loads(piped("import", str(file)).out)
    assert (report["new"], report["created_before"], report["failed"]) == (1, 1, 0)
    file.write_text('{"displayName": "a"}\n{"displayName": "c"}\n')
    ended = piped("import", str(file))
    assert (ended.code, "Row 2 has changed since it was imported" in ended.err) == (2, True)


def test_columns_are_mapped_and_the_key_column_is_copied(
    piped: Command, file: Path, client: Client
) -> None:
    table = file.with_name("a.csv")
    table.write_text(f"id,title,agent,notes\n7,a,{file.parent.name},x\n8,b,{file.parent.name},\n")
    journal, results = file.with_name("journal"), file.with_name("results")
    where = ("--journal", str(journal), "--results", str(results))
    ended = piped("import", str(table), "--map", "displayName=title", *where)
    assert ended.code == 2
    assert "a.csv: Unknown fields: 'id', 'agent' (did you mean 'metadata.entityId'?)" in ended.err
    assert not journal.exists()
    assert not results.exists()
    ended = piped(
        *("import", str(table), *where, "--key", "id", "--ignore", "notes"),
        *("--map", "displayName=title", "--map", "metadata.entityId=agent"),
    )
    assert (ended.code, ended.err) == (0, "")
    listed = client.conversations.list(entity_id=file.parent.name)
    made = {one.display_name: one.id for one in listed}
    assert [json.loads(line) for line in results.read_text().splitlines()] == [
        {"row": 1, "line": 2, "key": "7", "status": "created", "id": made["a"]},
        {"row": 2, "line": 3, "key": "8", "status": "created", "id": made["b"]},
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--map", "displayName"], "--map takes FIELD=COLUMN, such as --map displayName=title."),
        (["--map", "=title"], "--map takes FIELD=COLUMN"),
        (
            ["--map", "displayName=a", "--map", "displayName=b"],
            "--map has two columns for displayName",
        ),
        (
            ["--map", "title=displayName"],
            "There is no field 'title'. The field comes first: use --map displayName=title.",
        ),
        (["--map", "name=title"], "There is no field 'name'. Did you mean 'displayName'?"),
        (["--key", "id"], "There is no column 'id'."),
    ],
)
def test_options_that_do_not_fit_the_file(
    piped: Command, file: Path, arguments: list[str], words: str
) -> None:
    ended = piped("import", str(file), *arguments)
    assert (ended.code, words in " ".join(ended.err.split())) == (2, True)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--results", "a.jsonl"],
        ["--journal", "a.jsonl"],
        ["--results", "a.jsonl.journal"],
        ["--results", "b", "--journal", "./b"],
        ["--results", "link.jsonl"],
    ],
)
def test_files_are_not_overwritten(
    piped: Command, file: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    file.with_name("link.jsonl").symlink_to(file)
    before = file.read_text()
    ended = piped("import", "a.jsonl", *arguments)
    assert (ended.code, "must be three different files" in ended.err) == (2, True)
    assert file.read_text() == before
    assert {path.name for path in file.parent.iterdir()} == {"a.jsonl", "link.jsonl"}


def test_an_import_continues_only_at_its_destination(piped: Command, file: Path) -> None:
    with ScriptedServer(always()) as trial:
        assert piped("import", str(file), "--base-url", trial.url).code == 0
        ended = piped("import", str(file))
        assert ended.code == 2
        assert f"Its conversations were created at {trial.url}, but this command" in ended.err
        assert "or add --change-destination to skip" in ended.err
        ended = piped("import", str(file), "--change-destination")
        assert (ended.code, json.loads(ended.out)["created_before"]) == (0, 5)


def test_an_import_continues_in_the_local_sandbox(piped: Command, file: Path) -> None:
    for new in (5, 0):  # with another port and key each time
        assert json.loads(piped("import", str(file), "--sandbox").out)["new"] == new
    ended = piped("import", str(file))
    assert (ended.code, "Its conversations were created at --sandbox /" in ended.err) == (2, True)


@pytest.mark.parametrize("option", ["--journal", "--results"])
@pytest.mark.parametrize("place", ["missing/file", "folder", "a.jsonl/file", "/proc/none", "loop"])
def test_an_unwritable_location_is_found_before_anything_is_sent(
    *, piped: Command, file: Path, option: str, place: str
) -> None:
    file.with_name("folder").mkdir()
    file.with_name("loop").symlink_to("loop")
    path = file.parent / place
    with ScriptedServer(always()) as server:
        ended = piped("import", str(file), option, str(path), "--base-url", server.url)
        assert server.seen == []
    assert (ended.code, ended.out) == (2, "")
    assert str(path) in ended.err
    if option == "--results":
        assert "Nothing was sent. Choose another file with --results." in " ".join(
            ended.err.split()
        )


def test_a_name_that_leaves_no_room_for_the_results(piped: Command, tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 243}.jsonl"
    path.write_text('{"displayName": "a"}\n')
    journal = tmp_path / "journal"
    with ScriptedServer(always()) as server:
        ended = piped("import", str(path), "--journal", str(journal), "--base-url", server.url)
        assert server.seen == []
    assert (ended.code, ended.out) == (2, "")
    assert "Choose another file with --results." in " ".join(ended.err.split())


@pytest.mark.parametrize("output", ["people", "json"])
def test_the_report_is_printed_even_if_the_results_cannot_be_written(
    *,
    piped: Command,
    shown: Command,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    output: str,
) -> None:
    calls = iter([write_results])

    def failing(entries: Iterable[Entry], path: Path) -> None:
        for write in calls:
            write(entries, path)
            return
        raise OSError(ENOSPC, os.strerror(ENOSPC), os.fspath(path))

    monkeypatch.setattr(import_files, "write_results", failing)
    ended = (piped if output == "json" else shown)("import", str(file))
    assert ended.code == 6
    assert '"created": 5' in ended.out or "5 created, 0 failed, 0 doubtful.\n" in ended.out
    assert "No space left on device. The journal" in ended.err
    assert "run the command again with --results and a file on another disk;" in ended.err


@pytest.mark.parametrize(
    ("content", "code"), [('{"displayName": "a"}\n', 6), ('{"a": 1}\n{}\n', 1)]
)
def test_lost_results_can_be_written_to_another_disk(
    piped: Command, file: Path, content: str, code: int
) -> None:
    file.write_text(content)
    ended = piped("import", str(file), "--results", "/dev/full")
    assert (ended.code, "see /dev/full" in ended.err) == (code, False)
    results = file.with_name("elsewhere")
    again = piped("import", str(file), "--results", str(results))
    assert json.loads(again.out)["new"] == 0
    assert len(results.read_text().splitlines()) == len(content.splitlines())


def test_results_that_are_lost_at_ctrl_c_are_not_mentioned(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: Any, **_: object) -> None:
        arguments[2].record(Entry(1, "", State.CREATED, "conv_1"))
        raise KeyboardInterrupt

    monkeypatch.setattr(imports, "import_file", stopped)
    ended = piped("import", str(file), "--results", "/dev/full")
    assert (ended.code, "lists the status" in ended.err) == (130, False)
    assert "Stopped after creating 1 conversation." in ended.err


@pytest.mark.parametrize(
    ("unrecorded", "doubtful", "code"),
    [((), 0, 1), ((), 1, 5), ((Entry(2, "", State.CREATED, "conv_2"),), 0, 5)],
)
def test_a_stopped_import_reports_what_was_created(
    *,
    piped: Command,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    unrecorded: tuple[Entry, ...],
    doubtful: int,
    code: int,
) -> None:
    def stopped(*_: object, **__: object) -> None:
        report = Report(created=3, failed=0, doubtful=doubtful, new=2)
        raise ImportStoppedError("The disk is full.", report=report, unrecorded=unrecorded)

    monkeypatch.setattr(imports, "import_file", stopped)
    ended = piped("import", str(file))
    report = json.loads(ended.out)
    assert (report["created"], report["new"], report["doubtful"]) == (3, 2, doubtful)
    assert (ended.code, "Error: The disk is full." in ended.err) == (code, True)


def test_rows_with_results_are_not_created_again_without_their_journal(
    piped: Command, file: Path
) -> None:
    results, journal = (file.with_name(f"a.jsonl.{end}") for end in ("results.jsonl", "journal"))
    results.write_text("of another import")
    for prepare in (journal.touch, journal.unlink):
        prepare()
        ended = piped("import", str(file))
        assert ended.code == 2
        assert "has the results of an earlier import, but the journal" in " ".join(
            ended.err.split()
        )
        assert results.read_text() == "of another import"
    assert not journal.exists()


def test_a_new_file_of_the_same_name_is_imported_by_following_the_advice(
    piped: Command, file: Path
) -> None:
    piped("import", str(file))
    file.write_text('{"displayName": "New"}\n')
    removed = piped("import", str(file))
    assert "with new files for --journal and --results; every row" in " ".join(removed.err.split())
    file.write_text('{"displayName": "New"}\n' * 5)
    changed = piped("import", str(file))
    assert "with new files for --journal and --results; every row" in " ".join(changed.err.split())
    new = [file.with_name("new.journal"), file.with_name("new.jsonl")]
    refused = piped("import", str(file), "--journal", str(new[0]))
    assert {removed.code, changed.code, refused.code} == {2}
    assert " ".join(refused.err.split()).endswith(
        "To continue that import, pass its journal with --journal. "
        "To import every row again, pass a new file with --results."
    )
    ended = piped("import", str(file), "--journal", str(new[0]), "--results", str(new[1]))
    assert (ended.code, json.loads(ended.out)["new"]) == (0, 5)


def test_results_are_written_to_a_pipe_once(piped: Command, file: Path) -> None:
    pipe = file.with_name("pipe")
    os.mkfifo(pipe)
    piped("import", str(file))
    received: list[str] = []
    reader = Thread(target=lambda: received.append(pipe.read_text()), daemon=True)
    reader.start()
    ended = piped("import", str(file), "--results", str(pipe))
    reader.join(timeout=30)
    assert (ended.code, len(received)) == (0, 1)
    assert len(received[0].splitlines()) == 5


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    full = type(usage)(usage.total, usage.total, 0)
    monkeypatch.setattr(shutil, "disk_usage", Mock(return_value=full))


def test_a_refused_import_leaves_only_files_that_it_did_not_create(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_disk(monkeypatch)
    folder = file.with_name("links")
    folder.mkdir()
    links = [file.with_name("a.jsonl.journal"), file.with_name("a.jsonl.results.jsonl")]
    for is_linked in (False, True):
        if is_linked:
            for link in links:
                link.symlink_to(folder / link.name)
        before = sorted(each.name for each in file.parent.iterdir())
        ended = piped("import", str(file))
        assert (ended.code, "Nothing was sent" in ended.err) == (1, True)
        assert sorted(each.name for each in file.parent.iterdir()) == before
        assert [*folder.iterdir()] == []


def test_a_refused_import_keeps_files_that_were_there(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, results = (file.with_name(f"a.jsonl.{end}") for end in ("journal", "results.jsonl"))
    assert piped("import", str(file)).code == 0
    contents = results.read_text()
    file.write_text(file.read_text() + "{}\n")
    full_disk(monkeypatch)
    assert piped("import", str(file)).code == 1
    assert (journal.exists(), results.read_text()) == (True, contents)


@pytest.mark.parametrize("option", ["--journal", "--results"])
def test_a_file_name_that_is_too_long(piped: Command, file: Path, option: str) -> None:
    ended = piped("import", str(file), option, str(file.with_name("x" * 300)))
    assert (ended.code, "File name too long" in ended.err) == (2, True)
    assert f"file with {option}." in ended.err


def test_ctrl_c_explains_how_to_continue(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(imports, "import_file", stopped)
    ended = piped("import", str(file))
    results = file.with_name("a.jsonl.results.jsonl")
    assert ended.code == 130
    assert (
        "Stopped after creating 0 conversations. Run the same command again to continue."
        in ended.err
    )
    assert f"{results} lists the status of each row so far." in ended.err
    assert results.read_text() == ""


@pytest.mark.usefixtures("environment")
def test_progress_is_shown_at_a_terminal(file: Path) -> None:
    with Terminal("import", str(file)) as terminal:
        assert terminal.end() == 0
    assert "5/5" in terminal.seen
    assert "5 created, 0 failed, 0 doubtful" in terminal.seen


@pytest.mark.usefixtures("environment")
def test_ctrl_c_ends_the_bar_before_the_message(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")  # so that the bar moves
    with Terminal("import", str(file), "--rate", "1") as terminal:
        terminal.until("1/5")
        terminal.press("\x03")
        assert terminal.end() == 130
    assert "\n\x1b[?25hStopped after " in terminal.seen  # the bar shows the cursor again
    assert terminal.seen.rstrip().endswith("lists the status of each row so far.")


@pytest.mark.usefixtures("environment")
def test_a_second_ctrl_c_ends_the_bar(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    is_reached, release = Event(), Event()

    def script() -> Iterator[bytes]:
        is_reached.set()
        release.wait(LONGEST_WAIT)
        yield answer()

    with ScriptedServer(script()) as server:
        line = ("import", str(file), "--base-url", server.url, "--max-in-flight", "1")
        with Terminal(*line) as terminal:
            terminal.until("0/5")
            assert is_reached.wait(LONGEST_WAIT)
            terminal.press_until_end("\x03")
            release.set()
            assert terminal.end() == 130
    words = " ".join(terminal.seen.split())
    assert "Waiting for 1 request in flight. Press Ctrl-C again to end at once." in words
    assert "Ended at once after creating 0 conversations." in words
    assert "1 row may have been imported." in words
    assert not file.with_name("a.jsonl.results.jsonl").exists()
    assert "\x1b[?25h" in terminal.seen.rpartition("\x1b[?25l")[2]  # the cursor is shown again


def test_an_interrupted_import_prints_no_json_in_a_terminal(
    shown: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: object, __: Entry) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RowOutcomes, "__call__", stop)
    ended = shown("import", str(file), "--max-in-flight", "1")
    assert (ended.code, ended.out) == (130, "")
    assert "Stopped after creating 1 conversation." in ended.err


def test_an_interrupted_resumed_import_reports_new_rows(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert json.loads(piped("import", str(file)).out)["new"] == 5
    file.write_text(file.read_text() + '{"displayName": "new"}\n' * 9)

    def stop(_: object, entry: Entry) -> None:
        if not entry.is_skipped:
            raise KeyboardInterrupt

    monkeypatch.setattr(RowOutcomes, "__call__", stop)
    ended = piped("import", str(file), "--max-in-flight", "1")
    assert ended.code == 130
    assert "Stopped after creating 1 conversation (5 were created before)." in ended.err
    report = json.loads(ended.out)
    assert report.pop("results") == f"{file}.results.jsonl"
    assert report == {"created": 6, "new": 1, "created_before": 5, "failed": 0, "doubtful": 0}


def test_the_progress_bar_leaves_out_rows_of_earlier_runs(
    piped: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[Bar] = []

    @contextmanager
    def recorded(total: int | None, *, done: int = 0) -> Generator[Bar, None, None]:
        with progress_bar(total, done=done) as bar:
            bars.append(bar)
            yield bar

    piped("import", str(file))
    file.write_text(file.read_text() + '{"displayName": "new"}\n')
    monkeypatch.setattr(imports, "progress_bar", recorded)
    piped("import", str(file))
    (task,) = bars[0]._progress.tasks
    assert (task.completed, task.total, len(task._progress)) == (6, 6, 1)


@pytest.mark.parametrize(("keys_are_trusted", "skipped"), [(False, 3), (True, 1)])
def test_rows_that_are_skipped(tmp_path: Path, *, keys_are_trusted: bool, skipped: int) -> None:
    files = ImportFiles(
        journal=tmp_path / "journal", results=tmp_path / "results", is_resent=keys_are_trusted
    )
    with Journal(files.journal) as journal:
        for number, state in enumerate(State):
            journal.record(Entry(number, "", state, ""))
        run = ImportRun(journal, files, Output(Format.JSON), 1)
        assert run.count_skipped(keys_are_trusted=keys_are_trusted) == skipped


def test_rows_are_not_created_again_after_a_crash_that_left_no_results(
    piped: Command, file: Path
) -> None:
    results, log = (file.with_name(f"a.jsonl.{end}") for end in ("results.jsonl", "journal-wal"))
    results.touch()
    log.write_bytes(b"rows")
    ended = piped("import", str(file))
    assert ended.code == 2
    assert f"{log} has rows of an earlier import, but its journal" in " ".join(ended.err.split())
    assert log.read_bytes() == b"rows"


def columns(progress: Progress) -> list[str]:
    (task,) = progress.tasks
    return [str(column.render(task)) for column in (Rate(), TimeLeft())]


def test_the_rate_is_shown_once_it_is_known() -> None:
    now = 0.0
    progress = Progress(get_time=lambda: now)
    task = progress.add_task("", total=6_000, completed=1_000, done=1_000)
    assert columns(progress) == ["", "--:--"]
    now = 0.001
    progress.advance(task, 2)
    assert columns(progress) == ["", "--:--"]
    now = 4.0  # nothing arrives while the service throttles
    assert columns(progress) == ["0.5/s", "2:46:36"]
    progress.advance(task, 2_998)
    assert columns(progress) == ["750/s", "00:02"]
    progress.advance(task, 2_000)
    assert columns(progress) == ["1,250/s", "00:00"]


def test_the_rate_of_a_quick_command_is_shown_at_its_end() -> None:
    now = 0.0
    progress = Progress(get_time=lambda: now)
    task = progress.add_task("", total=2)
    now = 0.5
    progress.advance(task, 2)
    assert columns(progress) == ["4.0/s", "00:00"]


def test_the_listing_of_an_export_does_not_affect_the_rate() -> None:
    now = 0.0
    progress = Progress(get_time=lambda: now)
    bar = Bar(progress, progress.add_task("", total=None, done=0))
    now = 4.0
    bar.update(400, None)
    assert columns(progress) == ["100/s", ""]
    bar.update(100, 400)
    now = 8.0
    assert columns(progress) == ["", "--:--"]
    bar.update(120, 400)
    assert columns(progress) == ["5.0/s", "00:56"]
