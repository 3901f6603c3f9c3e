"""Imports a file on a Dask cluster.

    from dask.distributed import Client as DaskClient
    from conversations_client.bulk.dask import import_file

    with DaskClient("tcp://scheduler:8786") as cluster:
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
from conversations_client.bulk._imports.partitions import Partition, count_created, partitions
from conversations_client.bulk._imports.report import Report, total
from conversations_client.bulk._imports.stopped import ImportStoppedError

__all__ = ["Cluster", "import_file"]

_RETRIES: Final = 3


class Cluster(Protocol):
    """The methods of `dask.distributed.Client` that an import uses.

    Example:
        from conversations_client.bulk.dask import Cluster, import_file

        def import_shared_file(cluster: Cluster) -> Report:
            return import_file(cluster, "/shared/conversations.csv", "/shared/journals")
    """

    def nthreads(self) -> Any:  # noqa: ANN401 - distributed has few types
        """The number of threads on each worker.

        Example:
            from dask.distributed import Client as DaskClient

            with DaskClient(processes=False, n_workers=1, threads_per_worker=2) as cluster:
                assert sum(cluster.nthreads().values()) == 2
        """
        ...

    def submit(self, function: Callable[..., Report], /, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Call a function on a worker and return a future.

        Example:
            from dask.distributed import Client as DaskClient

            part, *_ = partitions("conversations.jsonl", "journals")
            with DaskClient(processes=False) as cluster:
                assert cluster.submit(part.run, pure=False).result().created == 2
        """
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
    """Import a file as `conversations_client.bulk.import_file` does, but on a cluster.

    Every worker needs access to the file and the folder. The number of parts that run at once is
    the number of threads that the cluster has at the start. If a worker dies, another worker
    resumes its part from the same journal.

    Args:
        cluster: A client for the cluster.
        path: The file.
        folder: The folder for the import plan and the journal of each part.
        client: A client, or a function that creates one on the worker. If you pass a client, only
            its settings are sent to the workers. They include its key only if `pickle_key` is True;
            otherwise the key comes from the worker's environment. Default: `Client`, with the
            worker's environment.
        columns: As in `conversations_client.bulk.import_file`.
        key: As in `conversations_client.bulk.import_file`.
        ignore: As in `conversations_client.bulk.import_file`.
        rows: The number of rows per part, which later runs can't change. Default: 10,000.
        max_in_flight: The maximum number of rows in flight per part. Default: 16.
        rate: The maximum number of rows per second across all parts. Default: no limit.
        change_destination: As in `conversations_client.bulk.import_file`.

    Raises:
        BulkError: As in `conversations_client.bulk.import_file`.
        InvalidArgumentError: An option is invalid.
        OSError: The file can't be read or the folder can't be written to.
        ImportStoppedError: The file or a journal failed after rows were sent.
        TypeError: The client can't be pickled.

    Example:
        from dask.distributed import Client as DaskClient
        from conversations_client.bulk.dask import import_file

        with DaskClient(processes=False) as cluster:
            report = import_file(cluster, "conversations.jsonl", "journals")
        assert report.created == 2
    """
    # Imported by name because it has few types, and here because the extra may be missing.
    as_completed: Any = import_module("distributed").as_completed
    client_factory = client if callable(client) else _factory(client)
    parts = partitions(path, folder, rows=rows, columns=columns, key=key, ignore=ignore)
    remaining = iter(parts)
    threads = max(1, sum(cluster.nthreads().values()))
    rate_of_part = None if rate is None else rate / threads

    def submit(parts: Iterator[Partition]) -> Iterator[Any]:
        for part in parts:
            yield cluster.submit(
                part.run,
                client_factory,
                max_in_flight=max_in_flight,
                rate=rate_of_part,
                change_destination=change_destination,
                pure=False,
                retries=_RETRIES,
            )

    created_before = count_created(parts)
    running = as_completed(submit(islice(remaining, threads)))
    reports: list[Report] = []
    errors: list[Exception] = []
    for future in running:
        try:
            reports.append(future.result())
        except Exception as error:  # noqa: BLE001 - raised below, once the running parts end
            errors.append(error)
        if not errors:
            running.update(submit(islice(remaining, 1)))
    # If a worker died, the second run of its part doesn't count the rows from the first as new.
    report = total(reports)
    report = evolve(report, new=report.created - created_before)
    if errors:
        raise _with_all_counts(errors[0], reports)
    return report


def _with_all_counts(error: Exception, reports: list[Report]) -> Exception:
    """The error of a part, with the counts of all parts that ran."""
    if isinstance(error, ImportStoppedError):
        reports = [*reports, error.report]
    elif not isinstance(error, BulkError | OSError):
        return error
    report = total(reports)
    if not report.new:
        return error
    stopped = ImportStoppedError(
        f"{error} The parts that ran created {report.new:,} conversation{'s' * (report.new != 1)}. "
        "Run the import again to continue.",
        report=report,
        unrecorded=getattr(error, "unrecorded", ()),
    )
    stopped.__cause__ = error
    return stopped


def _factory(client: Client) -> Callable[[], Client]:
    """A function that creates a copy of the client on a worker."""
    return partial(pickle.loads, pickle.dumps(client))
