"""An import on a Dask cluster.

    from dask.distributed import Client as Cluster
    from conversations_client.bulk.dask import import_file

    with Cluster("tcp://scheduler:8786") as cluster:
        report = import_file(cluster, "/shared/conversations.parquet", "/shared/journals")

It needs the `dask` extra: `pip install "conversations-client[dask]"`.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any, Final, Protocol

from conversations_client import Client
from conversations_client.bulk._import import Report
from conversations_client.bulk._partitions import Partition, partitions, total

__all__ = ["Cluster", "import_file"]

_RETRIES: Final = 3


class Cluster(Protocol):
    """What is needed of a `dask.distributed.Client`."""

    def nthreads(self) -> Any:  # noqa: ANN401 - of a package with few types, as below
        """The threads of each worker."""
        ...

    def submit(self, function: Callable[..., Report], /, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Have a worker call a function."""
        ...


def import_file(
    cluster: Cluster,
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    client: Client | Callable[[], Client] = Client,
    rows: int = 10_000,
    max_in_flight: int = 16,
    rate: float | None = None,
) -> Report:
    """Create the conversations of a file, as `conversations_client.bulk.import_file` does.

    Every worker must see the file and the folder. As many parts are worked on at once as the
    cluster has threads when it begins. The part of a worker that dies goes on with another one,
    which finds in its journal what was done.

    Args:
        cluster: A client of the cluster.
        path: The file.
        folder: Where the journals of the parts are, and the plan of the first run.
        client: What to create them with, or what makes it there. A client goes to the workers as
            its settings; its key stays behind unless it has `pickle_key`, and that of their
            environment is used. Default: `Client`, with all of their environment.
        rows: How many rows a part has, in the first run. Default 10,000.
        max_in_flight: How many rows of a part are sent at once. Default 16.
        rate: How many are sent in a second at most by all together; None, the default, for no
            limit.

    Raises:
        BulkError: The file is of no known kind, or is not what it was in the first run.
        OSError: The file can't be read, or the folder not be written to.
        TypeError: The client has something that can't be pickled.
    """
    # By name, because it has few types; here, because its extra may be missing.
    as_completed: Any = import_module("distributed").as_completed
    make = client if callable(client) else _made_there(client)
    waiting = iter(partitions(path, folder, rows=rows))
    at_once = max(1, sum(cluster.nthreads().values()))
    share = None if rate is None else rate / at_once

    def submitted(parts: Iterator[Partition]) -> Iterator[Any]:
        for part in parts:
            yield cluster.submit(
                part.run,
                make,
                max_in_flight=max_in_flight,
                rate=share,
                pure=False,
                retries=_RETRIES,
            )

    running = as_completed(submitted(islice(waiting, at_once)))
    reports: list[Report] = []
    for future in running:
        reports.append(future.result())
        running.update(submitted(islice(waiting, 1)))
    return total(reports)


def _made_there(client: Client) -> Callable[[], Client]:
    """What makes the same client on a worker, for each part one that is closed with it."""
    make, settings = client.__reduce__()
    return partial(make, *settings)
