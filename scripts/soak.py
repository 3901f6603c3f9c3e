"""Makes many calls, some of which fail, and checks that nothing accumulates in the client.

    python scripts/soak.py [--calls 50000]

The sandbox runs in another process, so only the client is measured. Exits with code 1 if memory use
or the number of file descriptors grows after the first fifth of the calls.
"""

import argparse
import contextlib
import gc
import os
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Generator
from pathlib import Path
from typing import Final

import anyio
import trio
from attrs import frozen

from conversations_client import AsyncClient, Client, ConversationsError

VARIANTS: Final = ("sync", "asyncio", "trio")
SLACK: Final = 64 * 1024
"""The number of bytes by which memory use may vary."""

_DESCRIPTORS: Final = Path("/dev/fd")
_KEY: Final = "soak"
_URL: Final = re.compile("export ORQ_BASE_URL=(.*)")
_CALLS: Final = 5  # per `_make_calls`


@frozen
class Figures:
    """The results of a run.

    Attributes:
        calls: The number of calls.
        memory: The bytes of Python objects that the calls after the warm-up left behind.
        descriptors: The number of file descriptors that these calls left open; 0 if the system
            doesn't report them.
        seconds: The duration of the run.
    """

    calls: int
    memory: int
    descriptors: int
    seconds: float

    @property
    def is_flat(self) -> bool:
        """Whether nothing accumulated."""
        return self.memory < SLACK and self.descriptors <= 0

    def __str__(self) -> str:
        return (
            f"{self.calls} calls in {self.seconds:.0f} s: memory use grew by "
            f"{self.memory / 1024:.1f} KiB, open file descriptors by {self.descriptors}"
        )


@contextlib.contextmanager
def sandbox() -> Generator[str, None, None]:
    """Start a sandbox in another process and yield its URL."""
    line = [sys.executable, "-m", "conversations_client.sandbox", "--port", "0", "--api-key", _KEY]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this Python
        try:
            output = process.stdout or ()
            yield next(found[1] for line in output if (found := _URL.match(line)))
        finally:
            process.kill()


def soak(*, calls: int, variant: str, url: str) -> Figures:
    """Make calls and measure what the last four fifths left behind."""
    started = time.perf_counter()
    rounds = calls // _CALLS
    warm_up = rounds // 5
    tracemalloc.start()
    try:
        if variant == "sync":
            before, after = _measure(url, warm_up, rounds - warm_up)
        else:
            before, after = anyio.run(
                _measure_async, url, warm_up, rounds - warm_up, backend=variant
            )
    finally:
        tracemalloc.stop()
    seconds = time.perf_counter() - started
    return Figures(rounds * _CALLS, after[0] - before[0], after[1] - before[1], seconds)


def _measure(url: str, first: int, then: int) -> tuple[tuple[int, int], tuple[int, int]]:
    with Client(_KEY, base_url=url, max_connections=2) as client:
        for _ in range(first):
            _make_calls(client)
        before = _resources()
        for _ in range(then):
            _make_calls(client)
        return before, _resources()


def _make_calls(client: Client) -> None:
    conversation_id = client.conversations.create(display_name="Soak").id or ""
    client.conversations.retrieve(conversation_id)
    with contextlib.suppress(ConversationsError):
        client.conversations.retrieve("conv_of_nobody")
    with client.conversations.responses.stream(
        conversation_id, message="One two three", model="sandbox/echo"
    ) as events:
        next(events)
    client.conversations.delete(conversation_id)


async def _measure_async(
    url: str, first: int, then: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    async with AsyncClient(_KEY, base_url=url, max_connections=2) as client:
        for _ in range(first):
            await _make_calls_async(client)
        before = _resources()
        for _ in range(then):
            await _make_calls_async(client)
        return before, _resources()


async def _make_calls_async(client: AsyncClient) -> None:
    conversation_id = (await client.conversations.create(display_name="Soak")).id or ""
    await client.conversations.retrieve(conversation_id)
    with contextlib.suppress(ConversationsError):
        await client.conversations.retrieve("conv_of_nobody")
    async with client.conversations.responses.stream(
        conversation_id, message="One two three", model="sandbox/echo"
    ) as events:
        await anext(events)
    await client.conversations.delete(conversation_id)


def _resources() -> tuple[int, int]:
    # trio keeps up to a thousand expired deadlines and their scopes, about 250 kB. This call
    # removes them.
    with contextlib.suppress(RuntimeError):  # of other variants
        trio.lowlevel.current_statistics()
    gc.collect()
    descriptors = len(os.listdir(_DESCRIPTORS)) if _DESCRIPTORS.exists() else 0  # noqa: PTH208 - numbers
    return tracemalloc.get_traced_memory()[0], descriptors


def main() -> int:
    """Run every variant and print the results."""
    parser = argparse.ArgumentParser(
        description="Make many calls and measure what accumulates in the client."
    )
    parser.add_argument("--calls", type=int, default=50_000)
    options = parser.parse_args()
    all_flat = True
    with sandbox() as url:
        for variant in VARIANTS:
            figures = soak(calls=options.calls, variant=variant, url=url)
            print(f"{variant}: {figures}", flush=True)
            all_flat = all_flat and figures.is_flat
    return 0 if all_flat else 1


if __name__ == "__main__":
    sys.exit(main())
