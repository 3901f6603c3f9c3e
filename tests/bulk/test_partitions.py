"""An import in parts, in this process and on a cluster."""

import pickle
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from doomed import Doomed
from scripted import ScriptedServer, always

from conversations_client import Client
from conversations_client.bulk import (
    BulkError,
    Partition,
    Report,
    entries_of,
    partitions,
    total,
)
from conversations_client.sandbox import Sandbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"displayName": "number {number}"}}\n' for number in range(25)))
    return path


def bounds(parts: list[Partition]) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in parts]


def test_the_parts_are_those_of_the_first_run(path: Path, tmp_path: Path) -> None:
    parts = partitions(path, tmp_path / "journals", rows=10)
    assert bounds(parts) == [(0, 10), (10, 20), (20, 25)]
    assert partitions(path, tmp_path / "journals", rows=7) == parts
    assert bounds(partitions(path, tmp_path / "others", rows=25)) == [(0, 25)]
    path.write_text("{}\n")
    with pytest.raises(
        BulkError, match=r"a\.jsonl has 1 rows and had 25 when the import was begun"
    ):
        partitions(path, tmp_path / "journals")
    path.write_text("")
    assert partitions(path, tmp_path / "empty") == []


def test_a_part_can_be_carried_out_anywhere(path: Path, tmp_path: Path) -> None:
    parts = partitions(path, tmp_path / "journals", rows=10)
    with ScriptedServer(always()) as server:
        make_client = partial(Client, "k", base_url=server.url)
        travelled: list[Partition] = pickle.loads(pickle.dumps(parts))
        reports = [part.run(make_client, rate=1e6) for part in reversed(travelled)]
        assert total(reports) == Report(created=25, failed=0, doubtful=0)
        assert total([parts[0].run(make_client)]).created == 10
        assert len(server.seen) == 25
    assert [entry.number for entry in entries_of(parts)] == list(range(1, 26))
    assert total([]) == Report(created=0, failed=0, doubtful=0)


def test_a_cluster_one_of_whose_workers_is_killed(path: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    from conversations_client.bulk.dask import import_file  # noqa: PLC0415 - needs the extra

    journals, mark = tmp_path / "journals", tmp_path / "killed"
    with (
        Sandbox() as sandbox,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as workers,
        distributed.Client(workers) as cluster,
    ):
        doomed = Doomed(sandbox.api_key, sandbox.url, mark, at=4)
        report = import_file(cluster, path, journals, make_client=doomed, rows=5, rate=1_000)
        with Client(sandbox.api_key, base_url=sandbox.url) as client:
            names = Counter(one.display_name for one in client.conversations.list(limit=100))
    assert mark.exists()
    assert report == Report(created=25, failed=0, doubtful=0)
    assert names == Counter(f"number {number}" for number in range(25))
