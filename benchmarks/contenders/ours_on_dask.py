"""This package on a Dask cluster, with one process for each task of the load."""

from importlib import import_module
from typing import Any

from harness import payloads
from harness.measuring import Clock, Load, Measurement, run

AT_ONCE = 4  # rows in flight per process


def spread(load: Load) -> Measurement:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from conversations_client import Client
    from conversations_client.bulk.dask import import_file

    distributed: Any = import_module("distributed")
    with (
        Client("key", base_url=load.url, timeout=payloads.TIMEOUT, pickle_key=True) as client,
        TemporaryDirectory() as folder,
        distributed.LocalCluster(
            n_workers=load.tasks, threads_per_worker=1, dashboard_address=":0"
        ) as workers,
        distributed.Client(workers) as cluster,
    ):

        def imported(count: int, rows: int) -> int:
            file = Path(folder, f"{count}.jsonl")
            file.write_text(f'{{"displayName": "{payloads.DISPLAY_NAME}"}}\n' * count)
            journals = Path(folder, f"{count}.journals")
            return import_file(
                cluster, file, journals, client=client, rows=rows, max_in_flight=AT_ONCE
            ).created

        imported(load.tasks * AT_ONCE, AT_ONCE)
        clock = Clock()
        done = imported(load.count, 100)
        return clock.read(done)


if __name__ == "__main__":
    run(spread=spread)
