"""An import in parts, in this process and on a cluster."""

import pickle
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from doomed import Doomed
from scripted import ScriptedServer, always

from conversations_client import Client, Hooks, Retry
from conversations_client.bulk import (
    BulkError,
    Partition,
    Report,
    _partitions,
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
        BulkError, match=r"a\.jsonl has 1 rows, and had 25 when this import started"
    ):
        partitions(path, tmp_path / "journals")
    path.write_text("")
    assert partitions(path, tmp_path / "empty") == []
    with pytest.raises(BulkError, match=r"rows must be 1 or more\."):
        partitions(path, tmp_path / "none", rows=0)


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"total": 25}'])
def test_a_plan_that_is_none(content: str, path: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(BulkError, match=r"plan\.json is not the plan of an import"):
        partitions(path, tmp_path)


def test_a_part_can_be_carried_out_anywhere(path: Path, tmp_path: Path) -> None:
    parts = partitions(path, tmp_path / "journals", rows=10)
    with ScriptedServer(always()) as server:
        make_client = partial(Client, "k", base_url=server.url)
        travelled: list[Partition] = pickle.loads(pickle.dumps(parts))
        reports = [part.run(make_client, rate=1e6) for part in reversed(travelled)]
        assert total(reports) == Report(created=25, failed=0, doubtful=0, new=25)
        with make_client() as client:
            assert parts[0].run(client).created == 10
            client.conversations.create()  # it is its owner who closes it
        assert len(server.seen) == 26
    assert [entry.number for entry in entries_of(parts)] == list(range(1, 26))
    assert total([]) == Report(created=0, failed=0, doubtful=0)


def test_a_cluster_one_of_whose_workers_is_killed(path: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    from conversations_client.bulk.dask import import_file

    journals, mark = tmp_path / "journals", tmp_path / "killed"
    with (
        Sandbox() as sandbox,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as workers,
        distributed.Client(workers) as cluster,
        Client(
            sandbox.api_key,
            base_url=sandbox.url,
            retry=Retry(trust_idempotency_key=True),
            hooks=Hooks(on_request=Doomed(mark, at=4)),
            pickle_key=True,
        ) as client,
    ):
        report = import_file(cluster, path, journals, client=client, rows=5, rate=1_000)
        names = Counter(one.display_name for one in client.conversations.list(limit=100))
    assert mark.exists()
    assert report == Report(created=25, failed=0, doubtful=0, new=25)
    assert names == Counter(f"number {number}" for number in range(25))


def test_a_rate_is_divided_among_the_parts_that_run_at_once(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    from conversations_client.bulk.dask import import_file

    path.write_text("{}\n" * 32)
    rates: list[float | None] = []
    all_of_them = threading.Barrier(4)

    def note(*_: object, rate: float | None, **__: object) -> Report:
        all_of_them.wait(timeout=30)  # there are four at once
        rates.append(rate)
        all_of_them.wait(timeout=30)  # and not one more before they have ended
        assert len(rates) % 4 == 0
        return Report(created=1, failed=0, doubtful=0)

    monkeypatch.setattr(_partitions, "import_rows", note)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as workers,
        distributed.Client(workers) as cluster,
        Client("k", pickle_key=True) as client,
    ):
        for rate, sender in ((100.0, client), (None, partial(Client, "k"))):
            how: dict[str, Any] = {"client": sender, "rows": 4, "rate": rate}
            report = import_file(cluster, path, tmp_path / f"{rate}", **how)
            assert report.created == 8
    assert rates == [25.0] * 8 + [None] * 8
