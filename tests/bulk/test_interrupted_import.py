"""Interrupts an import at every line with Ctrl-C, and runs it again."""

import gc
from pathlib import Path

import pytest
from interrupt_points import LIMIT_SECONDS, Point, Tracer, few, time_limit
from scripted import ScriptedServer, always

from conversations_client import Client, Retry
from conversations_client.bulk import BulkError, Journal, Report, State, import_file

# The modules that are interrupted at every line, by the extension of the file.
EVERY_LINE = {
    "jsonl": {
        "bulk/_database.py",
        "bulk/_files/json_lines.py",
        "bulk/_imports/import_file.py",
        "bulk/_imports/journal.py",
        "bulk/_imports/row_changes.py",
        "bulk/_imports/run.py",
    },
    "csv": {"bulk/_files/csv_reader.py", "bulk/_files/csv_text.py"},
    "parquet": {"bulk/_files/parquet.py"},
}
SHARED = 6  # one in this many lines of the other modules is interrupted
NAMES = ["a", "b", "x" * 101]


def run(path: Path, url: str, tracer: Tracer) -> Report:
    with (
        Client("k", base_url=url, retry=Retry(attempts=1)) as client,
        tracer.tracing(),
        Journal(path.with_suffix(".journal")) as journal,
    ):
        return import_file(client, path, journal, max_in_flight=2)


def run_again(path: Path, url: str) -> Report:
    try:
        return run(path, url, Tracer())
    except BulkError:
        gc.collect()  # after an interrupt of `with` itself, the finalizer closes the journal
        return run(path, url, Tracer())


def written(path: Path) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(f'{{"displayName": "{name}"}}\n' for name in NAMES))
    elif path.suffix == ".csv":
        # With a cell that is too long, because the reader goes back to skip it.
        path.write_text("\n".join(["displayName", *NAMES[:2], "x" * 140_000]))
    else:
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.table({"displayName": NAMES}), path)
    return path


def points_of(path: Path, url: str) -> list[Point]:
    tracer = Tracer()
    run(written(path), url, tracer)
    found = [point for point in few(tracer.points, hits=1) if point.file.startswith("bulk/")]
    every = EVERY_LINE[path.suffix[1:]]
    others = [point for point in found if point.file not in set().union(*EVERY_LINE.values())]
    return [*(point for point in found if point.file in every), *others[::SHARED]]


# Python suppresses exceptions in finalizers.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("extension", EVERY_LINE)
def test_no_row_is_created_twice_or_lost(tmp_path: Path, extension: str) -> None:
    with ScriptedServer(always()) as server:
        points = points_of(tmp_path / f"traced.{extension}", server.url)
    raised = 0
    with ScriptedServer(always()) as server:
        for number, point in enumerate(points):
            path = written(tmp_path / f"{number}.{extension}")
            server.seen.clear()
            with time_limit(LIMIT_SECONDS):
                try:
                    run(path, server.url, Tracer(at=point))
                except KeyboardInterrupt:
                    raised += 1
                report = run_again(path, server.url)
            sent = [seen.body for seen in server.seen]
            assert len(sent) == len(set(sent)), point
            assert report.created + report.failed + report.doubtful == len(NAMES), point
            assert report.created <= len(sent), point
            with Journal(path.with_suffix(".journal")) as journal:
                assert journal.counts()[State.SENT] == 0, point
    assert raised > 40
