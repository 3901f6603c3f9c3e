"""Makes many calls at once over few connections: all succeed, first come, first served.

    python scripts/load.py [--tasks 5000] [--connections 20] [--threads 32]

Exits with 1 if a call fails, if there are more connections or concurrent requests than allowed, or
if more later calls overtake a waiting one than there are connections.
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
        calls: How many calls succeeded.
        connections: How many connections were opened.
        at_once: The maximum number of requests that the server handled at once.
        overtaken: The most later calls that reached the server before one that waited for a
            connection.
        seconds: How long the run took.
    """

    calls: int
    connections: int
    at_once: int
    overtaken: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.calls} calls in {self.seconds:.1f} s over {self.connections} connections, "
            f"at most {self.at_once} at once; at most {self.overtaken} overtook another"
        )


def tasks_at_once(*, tasks: int, connections: int, backend: str) -> Figures:
    """Start this many tasks with one client; each makes one call."""
    started = time.perf_counter()
    with CountingServer() as server:
        anyio.run(_all_at_once, server.url, tasks, connections, backend=backend)
    return _figures(server.ledger, connections, time.perf_counter() - started)


async def _all_at_once(url: str, tasks: int, connections: int) -> None:
    async def call() -> None:
        await client.conversations.create(display_name=str(next(numbers)))

    numbers = itertools.count()

    async with (
        AsyncClient("k", base_url=url, max_connections=connections, timeout=None) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(tasks):
            group.start_soon(call)


def threads_at_once(*, threads: int, calls: int, connections: int) -> Figures:
    """Start this many threads with one client; each makes this many calls."""
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
        working = [threading.Thread(target=work) for _ in range(threads)]
        for thread in working:
            thread.start()
        for thread in working:
            thread.join()
    return _figures(server.ledger, connections, time.perf_counter() - started)


def _figures(ledger: Ledger, connections: int, seconds: float) -> Figures:
    # The first calls don't wait: each opens a connection, which may take any time.
    overtaken = max(
        position - number
        for position, number in enumerate(map(int, ledger.order))
        if number >= connections
    )
    return Figures(
        calls=ledger.stored.total(),
        connections=ledger.connections,
        at_once=ledger.at_once,
        overtaken=overtaken,
        seconds=seconds,
    )


def main() -> int:
    """Run every variant and print the results."""
    parser = argparse.ArgumentParser(description="Make many calls at once over few connections.")
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--threads", type=int, default=32)
    options = parser.parse_args()
    succeeded = True
    for backend in _BACKENDS:
        figures = tasks_at_once(
            tasks=options.tasks, connections=options.connections, backend=backend
        )
        print(f"{backend}: {figures}", flush=True)
        succeeded = succeeded and (
            figures.calls == options.tasks
            and max(figures.connections, figures.at_once, figures.overtaken) <= options.connections
        )
    calls = options.tasks // options.threads
    figures = threads_at_once(threads=options.threads, calls=calls, connections=options.connections)
    print(f"{options.threads} threads: {figures}", flush=True)
    succeeded = succeeded and figures.calls == calls * options.threads
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
