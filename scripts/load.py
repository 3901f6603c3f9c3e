"""Makes many concurrent calls over a few connections. All must succeed, first come, first served.

    python scripts/load.py [--tasks 5000] [--connections 20] [--threads 32]

Exits with code 1 if a call fails, if there are more connections or concurrent requests than
allowed, or if a waiting call is overtaken by more later calls than there are connections.
"""

import argparse
import itertools
import sys
import threading
import time
from typing import Final

import anyio
from attrs import frozen
from counting_server import CountingServer, Ledger

from conversations_client import AsyncClient, Client

_BACKENDS: Final = ("asyncio", "trio")


@frozen(kw_only=True)
class Figures:
    """The results of a run.

    Attributes:
        calls: The number of successful calls.
        connections: The number of connections that were opened.
        most_concurrent: The maximum number of requests that the server handled at once.
        overtaken: The maximum number of later calls that overtook a waiting call.
        seconds: The duration of the run.
    """

    calls: int
    connections: int
    most_concurrent: int
    overtaken: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.calls} calls in {self.seconds:.1f} s over {self.connections} connections, "
            f"at most {self.most_concurrent} concurrent; "
            f"at most {self.overtaken} overtook a waiting call"
        )


def run_tasks(*, tasks: int, connections: int, backend: str) -> Figures:
    """Start tasks that share a client; each makes one call."""
    started = time.perf_counter()
    with CountingServer() as server:
        anyio.run(_start_tasks, server.url, tasks, connections, backend=backend)
    return _figures(server.ledger, connections, time.perf_counter() - started)


async def _start_tasks(url: str, tasks: int, connections: int) -> None:
    async def call() -> None:
        await client.conversations.create(display_name=str(next(numbers)))

    numbers = itertools.count()

    async with (
        AsyncClient("k", base_url=url, max_connections=connections, timeout=None) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(tasks):
            group.start_soon(call)


def run_threads(*, threads: int, calls: int, connections: int) -> Figures:
    """Start threads that share a client; each makes the given number of calls."""
    started = time.perf_counter()
    begin = threading.Barrier(threads)

    numbers = itertools.count()

    def work() -> None:
        begin.wait(timeout=60)
        for _ in range(calls):
            client.conversations.create(display_name=str(next(numbers)))

    with (
        CountingServer() as server,
        Client("k", base_url=server.url, max_connections=connections, timeout=None) as client,
    ):
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return _figures(server.ledger, connections, time.perf_counter() - started)


def _figures(ledger: Ledger, connections: int, seconds: float) -> Figures:
    # The first calls don't wait. Each opens a connection, which can take any amount of time.
    overtaken = max(
        position - number
        for position, number in enumerate(map(int, ledger.order))
        if number >= connections
    )
    return Figures(
        calls=ledger.stored.total(),
        connections=ledger.connections,
        most_concurrent=ledger.most_concurrent,
        overtaken=overtaken,
        seconds=seconds,
    )


def main() -> int:
    """Run every variant and print the results."""
    parser = argparse.ArgumentParser(
        description="Make many concurrent calls over a few connections."
    )
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--threads", type=int, default=32)
    options = parser.parse_args()
    succeeded = True
    for backend in _BACKENDS:
        figures = run_tasks(tasks=options.tasks, connections=options.connections, backend=backend)
        print(f"{backend}: {figures}", flush=True)
        succeeded = succeeded and (
            figures.calls == options.tasks
            and max(figures.connections, figures.most_concurrent, figures.overtaken)
            <= options.connections
        )
    calls = options.tasks // options.threads
    figures = run_threads(threads=options.threads, calls=calls, connections=options.connections)
    print(f"{options.threads} threads: {figures}", flush=True)
    succeeded = succeeded and figures.calls == calls * options.threads
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
