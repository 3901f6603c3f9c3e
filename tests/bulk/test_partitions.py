"""Partitioned imports, in this process and on a cluster."""

import json
import pickle
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict
from doomed import Doomed
from scripted import ScriptedServer, always, answer

from conversations_client import Client, Hooks, Retry
from conversations_client.bulk import (
    BulkError,
    Entry,
    ImportStoppedError,
    Journal,
    Partition,
    Report,
    State,
    entries_of,
    partitions,
    total,
)
from conversations_client.bulk._imports import partitions as partitions_module
from conversations_client.bulk._imports import plan_folder
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
    for rows in (1, 24, 26):
        path.write_text("{}\n" * rows)
        with pytest.raises(
            BulkError, match=rf"a\.jsonl has {rows} rows, but had 25 when this import started"
        ):
            partitions(path, tmp_path / "journals")
    path.write_text("")
    assert partitions(path, tmp_path / "empty") == []
    with pytest.raises(BulkError, match=r"rows must be 1 or more\."):
        partitions(path, tmp_path / "none", rows=0)


@pytest.mark.parametrize(
    "content",
    ["no JSON", "[]", '{"total": 25}', '{"total": 25, "rows": 0}', '{"total": -1, "rows": 1}'],
)
def test_a_file_that_is_not_a_plan(content: str, path: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(BulkError, match=r"plan\.json doesn't contain an import plan"):
        partitions(path, tmp_path)


def test_a_lost_plan_is_not_replaced(path: Path, tmp_path: Path) -> None:
    """Different parts would have different journals, and create rows again."""
    folder = tmp_path / "journals"
    folder.mkdir()
    Journal(folder / "a.jsonl.journal").close()  # of another import
    with ScriptedServer(always()) as server:
        part, *_ = partitions(path, folder, rows=10)
        part.run(partial(Client, "k", base_url=server.url))
        (folder / "plan.json").unlink()
        with pytest.raises(BulkError, match=r"its plan .*plan\.json is missing\. Restore it\."):
            partitions(path, folder, rows=20)
    assert not (folder / "plan.json").exists()


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
@pytest.mark.parametrize("change", ["shorter", "shifted"])
def test_a_file_that_changed_after_it_was_divided(name: str, change: str, tmp_path: Path) -> None:
    """Rows would be left out, or incomplete rows would be imported."""
    path = tmp_path / name

    def write(names: list[str]) -> None:
        if name == "a.parquet":
            pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
            parquet.write_table(pa.table({"displayName": names}), path)
        elif name == "a.csv":
            path.write_text("\n".join(["displayName", *names]))
        else:
            path.write_text("".join(f'{{"displayName": "{each}"}}\n' for each in names))

    write(["n1", "n2", "n3", "n4"])
    _, part = partitions(path, tmp_path / "journals", rows=2)
    write(["n1", "n2", "n3"] if change == "shorter" else ["n100", "n2", "n3"])
    with pytest.raises(BulkError, match="has changed since its import was divided into parts"):
        part.run(partial(Client, "k"))


def test_a_parquet_file_that_lost_its_key_column(tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"displayName": ["a"], "id": [1]}), path)
    (part,) = partitions(path, tmp_path / "journals", key="id")
    parquet.write_table(pa.table({"displayName": ["a"]}), path)
    with pytest.raises(BulkError, match=r"a\.parquet: There is no column 'id'\."):
        part.run(partial(Client, "k"))


def test_a_part_can_run_anywhere(path: Path, tmp_path: Path) -> None:
    parts = partitions(path, tmp_path / "journals", rows=10)
    with ScriptedServer(always()) as server:
        make_client = partial(Client, "k", base_url=server.url)
        travelled: list[Partition] = pickle.loads(pickle.dumps(parts))
        reports = [part.run(make_client, rate=1e6) for part in reversed(travelled)]
        assert total(reports) == Report(created=25, failed=0, doubtful=0, new=25)
        with make_client() as client:
            assert parts[0].run(client).created == 10
            client.conversations.create()  # the owner closes it
        assert len(server.seen) == 26
    assert [entry.number for entry in entries_of(parts)] == list(range(1, 26))
    assert total([]) == Report(created=0, failed=0, doubtful=0)


def test_a_cluster_with_a_killed_worker(path: Path, tmp_path: Path) -> None:
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


def test_a_rate_is_divided_among_the_running_parts(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    from conversations_client.bulk.dask import import_file

    path.write_text("{}\n" * 32)
    rates: list[float | None] = []
    all_of_them = threading.Barrier(4)

    def note(*_: object, rate: float | None, **__: object) -> Report:
        all_of_them.wait(timeout=30)  # four run concurrently
        rates.append(rate)
        all_of_them.wait(timeout=30)  # and no more start before they end
        assert len(rates) % 4 == 0
        return Report(created=1, failed=0, doubtful=0)

    monkeypatch.setattr(partitions_module, "import_rows", note)
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


def test_parts_share_one_destination(path: Path, tmp_path: Path) -> None:
    first, second, third = partitions(path, tmp_path / "journals", rows=10)
    with ScriptedServer(always()) as here, ScriptedServer(always()) as there:
        to_here, to_there = (
            partial(Client, "k", base_url=here.url),
            partial(Client, "k", base_url=there.url),
        )
        first.run(to_here)
        # This also applies to a part that has not started.
        for part in (first, second):
            with pytest.raises(BulkError, match=f"The folder .* created at {here.url}, but"):
                part.run(to_there)
        with pytest.raises(BulkError, match="created with a different API key"):
            second.run(partial(Client, "other", base_url=here.url))
        assert there.seen == []
        assert second.run(to_there, change_destination=True).new == 10
        assert third.run(to_there).new == 5
        with pytest.raises(BulkError, match=f"created at {there.url}, but"):
            first.run(to_here)
        assert first.run(to_there, change_destination=True).created_before == 10


def test_folders_have_different_digests_of_one_key(path: Path, tmp_path: Path) -> None:
    keys = {"k", ""}
    with ScriptedServer(always()) as server, Client("k", base_url=server.url) as client:
        for name in ("one", "other"):
            partitions(path, tmp_path / name, rows=25)[0].run(client)
            saved = json.loads((tmp_path / name / "destination.json").read_text())
            keys.add(json.loads(saved["destination"])["key"])
    assert len(keys) == 4


def test_parts_that_created_nothing_can_change_their_destination(
    path: Path, tmp_path: Path
) -> None:
    first, second, _ = partitions(path, tmp_path / "journals", rows=10)
    with ScriptedServer(answer(401) for _ in range(10)) as here, ScriptedServer(always()) as there:
        assert first.run(partial(Client, "k", base_url=here.url)).failed == 10
        for part in (second, first):
            assert part.run(partial(Client, "k", base_url=there.url)).new == 10


def test_a_locked_journal_counts_as_used(path: Path, tmp_path: Path) -> None:
    first, second, _ = partitions(path, tmp_path / "journals", rows=10)
    with ScriptedServer(answer(401) for _ in range(10)) as here, Journal(first.journal):
        second.run(partial(Client, "k", base_url=here.url))
        with pytest.raises(BulkError, match="created with a different API key"):
            second.run(partial(Client, "other", base_url=here.url))


def test_another_part_may_record_a_new_destination_first(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, _ = partitions(path, tmp_path / "journals", rows=10)
    folder = Path(first.journal).parent
    with Client("k") as old, Client("other") as new:
        plan_folder.bind(folder, old, change=False)

        def has_created(_: Path) -> bool:
            plan_folder.bind(folder, new, change=True)
            return True

        monkeypatch.setattr(plan_folder, "_has_created", has_created)
        plan_folder.bind(folder, new, change=False)
        with pytest.raises(BulkError, match="created with a different API key"):
            plan_folder.bind(folder, old, change=False)


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"salt": "a", "destination": 5}'])
def test_a_file_that_is_not_a_destination(content: str, path: Path, tmp_path: Path) -> None:
    (part, *_) = partitions(path, tmp_path)
    (tmp_path / "destination.json").write_text(content)
    with pytest.raises(BulkError, match=r"destination\.json doesn't contain the destination"):
        part.run(partial(Client, "k"))


def test_parts_include_the_columns(path: Path, tmp_path: Path) -> None:
    path.write_text("".join(f'{{"title": "{n}", "id": {n}, "notes": []}}\n' for n in range(4)))
    with pytest.raises(BulkError, match="Unknown fields: 'title'"):
        partitions(path, tmp_path / "journals")
    assert not (tmp_path / "journals").exists()
    columns = {"displayName": "title"}
    parts = partitions(
        path, tmp_path / "journals", rows=2, columns=columns, key="id", ignore=["notes"]
    )
    travelled = [Partition(**json.loads(json.dumps(asdict(part)))) for part in parts]
    assert travelled == parts
    with ScriptedServer(always()) as server:
        for part in travelled:
            part.run(partial(Client, "k", base_url=server.url))
        names = [json.loads(seen.body)["displayName"] for seen in server.seen]
    assert sorted(names) == ["0", "1", "2", "3"]
    assert [entry.key for entry in entries_of(travelled)] == [0, 1, 2, 3]


def test_after_a_failed_part_all_created_rows_are_reported(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    from conversations_client.bulk import dask

    made = Report(created=2, failed=0, doubtful=0, new=2)
    lost = (Entry(3, "", State.CREATED, "conv_3"),)
    stopped = ImportStoppedError("The disk is full.", report=made, unrecorded=lost)
    outcomes: list[Any] = []

    def import_rows(*_: object, **__: object) -> Report:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            outcomes[:0] = [outcome]
            raise outcome
        assert isinstance(outcome, Report)
        return outcome

    monkeypatch.setattr(partitions_module, "import_rows", import_rows)
    monkeypatch.setattr(dask, "_RETRIES", 0)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as workers,
        distributed.Client(workers) as cluster,
    ):

        def run(*parts: Any) -> Report:
            outcomes[:] = parts
            return dask.import_file(
                cluster, path, tmp_path / f"{len(parts)}", client=partial(Client, "k"), rows=5
            )

        for error, unrecorded, created in [(stopped, lost, 4), (BulkError("Changed."), (), 2)]:
            with pytest.raises(ImportStoppedError) as raised:
                run(made, error)
            assert raised.value.report.created == raised.value.report.new == created
            assert raised.value.unrecorded == unrecorded
            assert f"The parts that ran created {created} conversation" in str(raised.value)
        with pytest.raises(BulkError, match="Changed"):
            run(BulkError("Changed."))
        with pytest.raises(KeyError):
            run(made, KeyError())


def test_rows_created_before_are_not_new_on_a_cluster(path: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    from conversations_client.bulk.dask import import_file

    with (
        ScriptedServer(always()) as server,
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as workers,
        distributed.Client(workers) as cluster,
    ):
        make = partial(Client, "k", base_url=server.url)
        for new in (25, 0):
            report = import_file(cluster, path, tmp_path / "journals", client=make, rows=10)
            assert report == Report(created=25, failed=0, doubtful=0, new=new)
