"""Measures calls inside a contender's process.

This module is imported before the contender's libraries. Their imports are measured, so it imports
almost nothing itself.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sized

from harness import payloads

Measurement = dict[str, float]

WARM_UP = 10
OPENED = 128  # connections before a burst; with more, httpx takes minutes


class Load:
    """The work of a contender.

    Attributes:
        url: The URL of the server.
        count: The number of calls, pages, conversations or events.
        tasks: The number of tasks that share the calls.
        per_chunk: The number of events in an HTTP chunk.
    """

    def __init__(self, url: str, count: str, tasks: str, per_chunk: str) -> None:
        self.url = url
        self.count = int(count)
        self.tasks = int(tasks)
        self.per_chunk = int(per_chunk)


class Clock:
    """Measures CPU seconds (of all threads, user and kernel) and wall-clock seconds."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def read(self, count: int) -> Measurement:
        """The measurement of `count` repetitions."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        return {"count": count, "cpu": cpu, "wall": wall}


def timed(load: Load, call: Callable[[], object], *, expected: object) -> Measurement:
    """Make `load.count` calls in sequence; each must return `expected`."""
    for _ in range(WARM_UP):
        call()
    used = _server_cpu(load)
    clock = Clock()
    wrong = sum(call() != expected for _ in range(load.count))
    measurement = clock.read(load.count)
    measurement["server"] = _server_cpu(load) - used
    return _checked(measurement, wrong=wrong)


async def timed_async(
    load: Load, call: Callable[[], Awaitable[object]], *, expected: object
) -> Measurement:
    """Make `load.count` calls in `load.tasks` tasks over open connections."""
    import asyncio

    async def work(calls: int) -> int:
        return sum([await call() != expected for _ in range(calls)])

    await work(WARM_UP)
    _ask(load, f"/hold/{min(load.tasks, OPENED)}")
    await asyncio.gather(*(work(1) for _ in range(load.tasks)))
    used = _server_cpu(load)
    clock = Clock()
    wrong = await asyncio.gather(*(work(load.count // load.tasks) for _ in range(load.tasks)))
    measurement = clock.read(load.count // load.tasks * load.tasks)
    measurement["server"] = _server_cpu(load) - used
    return _checked(measurement, wrong=sum(wrong))


def counted(load: Load, items: Callable[[int], Iterator[object]]) -> Measurement:
    """Iterate over `load.count` items after a warm-up."""
    for _ in items(WARM_UP):
        pass
    clock = Clock()
    found = sum(1 for _ in items(load.count))
    measurement = clock.read(load.count)
    return _checked(measurement, wrong=found - load.count)


async def counted_async(load: Load, found: Callable[[int], Awaitable[int]]) -> Measurement:
    """Count `load.count` items after a warm-up."""
    await found(WARM_UP)
    clock = Clock()
    wrong = await found(load.count) - load.count
    return _checked(clock.read(load.count), wrong=wrong)


def parsed(load: Load, read: Callable[[bytes], Sized]) -> Measurement:
    """Parse a page `load.count` times, and measure `json.loads` of the same page."""
    import json

    body = payloads.page(0, payloads.PAGE_SIZE)
    wrong = sum(len(read(body)) != payloads.PAGE_SIZE for _ in range(WARM_UP))
    clock = Clock()
    for _ in range(load.count):
        read(body)
    measurement = clock.read(load.count)
    clock = Clock()
    for _ in range(load.count):
        json.loads(body)
    measurement["json"] = clock.read(load.count)["cpu"]
    return _checked(measurement, wrong=wrong)


def weighed(load: Load, structure: Callable[[object], object]) -> Measurement:
    """The memory of objects, without the parsed JSON that they are created from."""
    import json
    import tracemalloc

    values = [json.loads(payloads.conversation(number)) for number in range(load.count)]
    structure(values[0])
    objects: list[object] = [None] * load.count
    tracemalloc.start()
    for index, value in enumerate(values):
        objects[index] = structure(value)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"count": load.count, "bytes": size}


def _server_cpu(load: Load) -> float:
    return float(_ask(load, "/cpu"))


def _ask(load: Load, path: str) -> bytes:
    import socket

    host, _, port = load.url.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET %b HTTP/1.1\r\n\r\n" % path.encode())
        return connection.recv(4096).rpartition(b"\r\n\r\n")[2]


def _peak() -> int:
    """The peak memory of the process, in bytes."""
    try:
        # On Linux, getrusage includes the peak of the parent process.
        with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would be another import
            found = next(line for line in status if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 2**10
    except FileNotFoundError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _checked(measurement: Measurement, *, wrong: int) -> Measurement:
    if wrong:
        sys.exit(f"{wrong} of {measurement['count']:g} results were not as expected")
    return measurement


def run(
    *,
    construct: Callable[[Load], object] | None = None,
    first: Callable[[Load], object] | None = None,
    **scenarios: Callable[[Load], Measurement | Awaitable[Measurement] | None],
) -> None:
    """Run the scenario named on the command line, and print JSON; `null` if it doesn't exist."""
    scenario, *words = sys.argv[1:]
    load = Load(*words)
    once = {"construct": construct, "first": first}.get(scenario)
    if once is not None:
        clock = Clock()
        result = once(load)
        measured: Measurement | Awaitable[Measurement] | None = clock.read(1)
        del result
    elif scenario in scenarios:
        measured = scenarios[scenario](load)
    else:
        measured = None
    _print(measured)


def _print(measured: Measurement | Awaitable[Measurement] | None) -> None:
    import asyncio
    import json

    async def finished(coming: Awaitable[Measurement]) -> Measurement:
        return await coming

    if measured is not None and not isinstance(measured, dict):
        measured = asyncio.run(finished(measured))
    if measured is not None:
        measured["peak"] = _peak()
    print(json.dumps(measured))
