"""Puts many calls at once through few connections: all are answered, in the order of coming.

    python scripts/load.py [--tasks 5000] [--connections 20] [--threads 32]

Ends with status 1 if a call fails, if there were ever more connections or requests than allowed,
or if a call was overtaken by more others than there are connections.
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
    """What a run came to.

    Attributes:
        calls: How many calls were answered.
        connections: How many connections there were.
        at_once: How many requests were being answered at once at most.
        overtaken: How many later calls the unluckiest one had to let go first.
        seconds: How long it took.
    """

    calls: int
    connections: int
    at_once: int
    overtaken: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.calls} calls in {self.seconds:.1f} s over {self.connections} connections, "
            f"{self.at_once} at once at most; one was overtaken by {self.overtaken} at most"
        )


def tasks_at_once(*, tasks: int, connections: int, backend: str) -> Figures:
    """Start so many tasks with one client, each for one call."""
    started = time.perf_counter()
    with CountingServer() as server:
        anyio.run(_all_at_once, server.url, tasks, connections, backend=backend)
    return _figures(server.ledger, time.perf_counter() - started)


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
    """Start so many threads with one client, each for so many calls."""
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
    return _figures(server.ledger, time.perf_counter() - started)


def _figures(ledger: Ledger, seconds: float) -> Figures:
    came = [int(name) for name in ledger.order]
    overtaken = max(place - number for place, number in enumerate(came))
    return Figures(
        calls=ledger.stored.total(),
        connections=ledger.connections,
        at_once=ledger.at_once,
        overtaken=overtaken,
        seconds=seconds,
    )


def main() -> int:
    """Run it in every variant, and print the figures."""
    parser = argparse.ArgumentParser(description="Put many calls at once through few connections.")
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--threads", type=int, default=32)
    given = parser.parse_args()
    all_right = True
    for backend in _BACKENDS:
        figures = tasks_at_once(tasks=given.tasks, connections=given.connections, backend=backend)
        print(f"{backend}: {figures}", flush=True)
        all_right = all_right and (
            figures.calls == given.tasks
            and max(figures.connections, figures.at_once, figures.overtaken) <= given.connections
        )
    calls = given.tasks // given.threads
    figures = threads_at_once(threads=given.threads, calls=calls, connections=given.connections)
    print(f"{given.threads} threads: {figures}", flush=True)
    all_right = all_right and figures.calls == calls * given.threads
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())
