"""Imports a file on a Dask cluster.

    from dask.distributed import Client as Cluster
    from conversations_client.bulk.dask import import_file

    with Cluster("tcp://scheduler:8786") as cluster:
        report = import_file(cluster, "/shared/conversations.parquet", "/shared/journals")

This needs the `dask` extra: `pip install "conversations-client[dask]"`.
"""

import os
import pickle
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any, Final, Protocol

from attrs import evolve

from conversations_client import Client
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._imports.partitions import Partition, created_by, partitions
from conversations_client.bulk._imports.report import Report, total
from conversations_client.bulk._imports.stopped import ImportStoppedError

__all__ = ["Cluster", "import_file"]

_RETRIES: Final = 3


class Cluster(Protocol):
    """The part of a `dask.distributed.Client` that is used here."""

    def nthreads(self) -> Any:  # noqa: ANN401 - of a package with few types, as below
        """The threads of each worker."""
        ...

    def submit(self, function: Callable[..., Report], /, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Call a function on a worker."""
        ...


def import_file(
    cluster: Cluster,
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    client: Client | Callable[[], Client] = Client,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    ignore: Collection[str] = (),
    rows: int = 10_000,
    max_in_flight: int = 16,
    rate: float | None = None,
    change_destination: bool = False,
) -> Report:
    """Create the conversations of a file, as `conversations_client.bulk.import_file` does.

    Every worker must see the file and the folder. As many parts run at once as the cluster has
    threads at the start. If a worker dies, another one continues its part, with the same journal.

    Args:
        cluster: A client of the cluster.
        path: The file.
        folder: Where the journals of the parts are, with the plan of the first run.
        client: A client, or a function that makes one on the worker. A client travels as its
            settings. Its key travels only with `pickle_key`; otherwise the worker's environment has
            the key. Default: `Client`, with the worker's environment.
        columns: As in `conversations_client.bulk.import_file`.
        key: As in `conversations_client.bulk.import_file`.
        ignore: As in `conversations_client.bulk.import_file`.
        rows: How many rows a part has, in the first run. Default 10,000.
        max_in_flight: How many rows of a part are sent at once. Default 16.
        rate: The most rows per second of all parts together. Default None, no limit.
        change_destination: As in `conversations_client.bulk.import_file`.

    Raises:
        BulkError: As `conversations_client.bulk.import_file`.
        InvalidArgumentError: An option is invalid.
        OSError: The file can't be read, or the folder not written to.
        ImportStoppedError: The file or a journal failed after rows were sent.
        TypeError: The client has something that can't be pickled.
    """
    # By name, because it has few types; here, because its extra may be missing.
    as_completed: Any = import_module("distributed").as_completed
    make = client if callable(client) else _factory(client)
    parts = partitions(path, folder, rows=rows, columns=columns, key=key, ignore=ignore)
    waiting = iter(parts)
    at_once = max(1, sum(cluster.nthreads().values()))
    share = None if rate is None else rate / at_once

    def submitted(parts: Iterator[Partition]) -> Iterator[Any]:
        for part in parts:
            yield cluster.submit(
                part.run,
                make,
                max_in_flight=max_in_flight,
                rate=share,
                change_destination=change_destination,
                pure=False,
                retries=_RETRIES,
            )

    before = created_by(parts)
    running = as_completed(submitted(islice(waiting, at_once)))
    reports: list[Report] = []
    errors: list[Exception] = []
    for future in running:
        try:
            reports.append(future.result())
        except Exception as error:  # noqa: BLE001 - raised when the running parts have ended
            errors.append(error)
        if not errors:
            running.update(submitted(islice(waiting, 1)))
    # A part that ran again after its worker died counts what it created before as old.
    report = total(reports)
    report = evolve(report, new=report.created - before)
    if errors:
        raise _explained(errors[0], reports)
    return report


def _explained(error: Exception, reports: list[Report]) -> Exception:
    """The error of a part, with the counts of all parts that ran."""
    if isinstance(error, ImportStoppedError):
        reports = [*reports, error.report]
    elif not isinstance(error, BulkError | OSError):
        return error
    report = total(reports)
    if not report.new:
        return error
    stopped = ImportStoppedError(
        f"{error} The parts that ran created {report.new:,} rows. Run the import again to "
        "continue.",
        report=report,
        unrecorded=getattr(error, "unrecorded", ()),
    )
    stopped.__cause__ = error
    return stopped


def _factory(client: Client) -> Callable[[], Client]:
    """A function that makes the same client on a worker, one for each part."""
    return partial(pickle.loads, pickle.dumps(client))
