"""An import that Ctrl-C interrupts at every line of its own, and that is run again."""

import gc
from pathlib import Path

import pytest
from interrupt_points import LIMIT_SECONDS, Tracer, few, time_limit
from scripted import ScriptedServer, always

from conversations_client import Client, Retry
from conversations_client.bulk import Journal, Report, State, import_file

OWN = {"bulk/_imports/import_file.py", "bulk/_imports/run.py"}
NAMES = ["a", "b", "x" * 101]


def run(path: Path, url: str, tracer: Tracer) -> Report:
    with (
        Client("k", base_url=url, retry=Retry(attempts=1)) as client,
        tracer.tracing(),
        Journal(path.with_suffix(".journal")) as journal,
    ):
        return import_file(client, path, journal, max_in_flight=2)


def written(path: Path) -> Path:
    path.write_text("".join(f'{{"displayName": "{name}"}}\n' for name in NAMES))
    return path


# Python swallows what interrupts a finalizer.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_row_is_created_twice_or_lost(tmp_path: Path) -> None:
    tracer = Tracer()
    with ScriptedServer(always()) as server:
        run(written(tmp_path / "traced.jsonl"), server.url, tracer)
    points = [point for point in few(tracer.points, hits=1) if point.file in OWN]
    raised = 0
    with ScriptedServer(always()) as server:
        for number, point in enumerate(points):
            path = written(tmp_path / f"{number}.jsonl")
            server.seen.clear()
            with time_limit(LIMIT_SECONDS):
                try:
                    run(path, server.url, Tracer(at=point))
                except KeyboardInterrupt:
                    raised += 1
                gc.collect()  # an interrupt of `with` itself leaves a journal to its finalizer
                report = run(path, server.url, Tracer())
            sent = [seen.body for seen in server.seen]
            assert len(sent) == len(set(sent)), point
            assert report.created + report.failed + report.doubtful == len(NAMES), point
            assert report.created <= len(sent), point
            with Journal(path.with_suffix(".journal")) as journal:
                assert journal.counts()[State.SENT] == 0, point
    assert raised > 50
