"""Cancels work at each await in turn."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Self

import anyio
import pytest


class Interrupted(Generator[Any, Any, None]):
    """Awaits work and interrupts it before the `step`-th suspension."""

    def __init__(
        self, work: Coroutine[Any, Any, None], interrupt: Callable[[], Any], *, step: int
    ) -> None:
        self._work = work
        self._interrupt = interrupt
        self._left = step

    def __await__(self) -> Self:
        return self

    def send(self, value: Any) -> Any:
        return self._counted(self._work.send(value))

    def throw(self, *error: Any) -> Any:
        return self._counted(self._work.throw(*error))

    def _counted(self, awaited: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self._interrupt()
        return awaited


async def interrupted(work: Callable[[], Any], *, step: int, natively: bool) -> bool:
    """Whether the work was interrupted at the step; False if it ended before."""
    ended = False

    async def whole() -> None:
        nonlocal ended
        await work()
        ended = True

    if natively:

        def interrupt() -> None:
            task.cancel()

        task: asyncio.Task[None] = asyncio.ensure_future(Interrupted(whole(), interrupt, step=step))
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return not ended
    with anyio.CancelScope() as scope:
        await Interrupted(whole(), scope.cancel, step=step)
    return not ended


async def steps_of(cut_at: Callable[[int], Awaitable[bool]]) -> int:
    """Interrupt at the first step, the second and so on; return the number of steps."""
    step = 1
    while await cut_at(step):
        step += 1
    return step


CANCELLERS = pytest.mark.parametrize(
    ("backend", "natively"), [("asyncio", False), ("asyncio", True), ("trio", False)]
)
