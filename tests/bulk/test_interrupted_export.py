"""Interrupts an export at every line with Ctrl-C, and runs it again."""

import gc
import json
from pathlib import Path

import pytest
from interrupt_points import LIMIT_SECONDS, Tracer, few, time_limit

from conversations_client import Client
from conversations_client.bulk import BulkError, export_file, export_with_messages
from conversations_client.sandbox import Sandbox

COUNT = 3
FILES = {"bulk/_exports/message_export.py", "bulk/_exports/journal.py", "bulk/_database.py"}


def run(client: Client, path: Path, tracer: Tracer) -> None:
    with tracer.tracing():
        export_with_messages(client, path, max_in_flight=2)


def run_again(client: Client, path: Path) -> None:
    try:
        export_with_messages(client, path)
    except BulkError:
        gc.collect()  # after an interrupt of `with` itself, the finalizer closes the journal
        export_with_messages(client, path)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["_id"] for line in path.read_text().splitlines()]


# Python suppresses exceptions in finalizers.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_export_with_messages_is_complete_after_any_interrupt(tmp_path: Path) -> None:
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        there = [str(client.conversations.create().id) for _ in range(COUNT)][::-1]
        tracer = Tracer()
        run(client, tmp_path / "traced.jsonl", tracer)
        points = [point for point in few(tracer.points, hits=1) if point.file in FILES]
        raised = 0
        for number, point in enumerate(points):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = folder / "a.jsonl"
            path.write_text("old")
            with time_limit(LIMIT_SECONDS):
                try:
                    run(client, path, Tracer(at=point))
                except KeyboardInterrupt:
                    raised += 1
                    assert path.read_text() == "old" or ids(path) == there, point
                run_again(client, path)
            assert ids(path) == there, point
            left = [one for one in folder.iterdir() if one.suffix != ".tmp"]
            assert left == [path], point
    assert raised > 80


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_is_old_or_new_after_any_interrupt(tmp_path: Path) -> None:
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        found = [client.conversations.create() for _ in range(COUNT)]
    there = [str(one.id) for one in found]
    tracer = Tracer()
    with tracer.tracing():
        export_file(found, tmp_path / "a.jsonl")
    raised = 0
    for point in few(tracer.points, hits=2):
        path = tmp_path / "a.jsonl"
        path.write_text("old")
        try:
            with Tracer(at=point).tracing():
                export_file(found, path)
        except KeyboardInterrupt:
            raised += 1
        assert path.read_text() == "old" or ids(path) == there, point
    assert raised > 40
