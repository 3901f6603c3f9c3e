"""Timeouts that also work in event loops whose clock is frozen.

asyncio and trio measure timeouts with clocks that freezegun stops in tests. In that case, a thread
measures them instead.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import BuiltinFunctionType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio

    import anyio


def is_clock_replaced() -> bool:
    """Whether the clock of event loops has been replaced."""
    return not isinstance(time.monotonic, BuiltinFunctionType)


def move_on_after(seconds: float) -> "AbstractContextManager[anyio.CancelScope, bool]":
    """A context manager whose block is cancelled after this many real seconds."""
    if seconds < math.inf and is_clock_replaced():
        return _Watched(seconds)
    import anyio

    return anyio.move_on_after(seconds)


def call_later(
    loop: "asyncio.AbstractEventLoop",
    seconds: float,
    function: Callable[..., object],
    *args: object,
) -> "Timer":
    """Run a function in an asyncio event loop after this many real seconds."""
    if not is_clock_replaced():
        return loop.call_later(seconds, function, *args)
    timer = threading.Timer(seconds, call_soon, [loop.call_soon_threadsafe, function, *args])
    timer.daemon = True
    timer.start()
    return timer


def call_soon(call: Callable[..., object], function: Callable[..., object], *args: object) -> None:
    """Run a function in an event loop with its `threadsafe_call`, unless the loop has ended."""
    with contextlib.suppress(RuntimeError):
        call(function, *args)


class Timer(Protocol):
    """A call scheduled by `call_later`."""

    def cancel(self) -> object:
        """Cancel the call; idempotent."""
        ...


class _Watched:
    def __init__(self, seconds: float) -> None:
        import anyio

        self._seconds = seconds
        self._scope = anyio.CancelScope()

    def __enter__(self) -> "anyio.CancelScope":
        self._timer = threading.Timer(self._seconds, self._expire, [threadsafe_call()])
        self._timer.daemon = True
        self._timer.start()
        return self._scope.__enter__()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._timer.cancel()
        return bool(self._scope.__exit__(exc_type, exc_value, traceback))

    def _expire(self, call: Callable[[Callable[[], object]], object]) -> None:
        call_soon(call, self._scope.cancel)


def threadsafe_call() -> Callable[[Callable[[], object]], object]:
    """The function that runs others in this event loop, from any thread or signal handler."""
    import anyio.lowlevel

    token: Any = anyio.lowlevel.current_token()
    loop: Any = getattr(token, "native_token", token)
    call: Callable[[Callable[[], object]], object] = (
        loop.call_soon_threadsafe if hasattr(loop, "call_soon_threadsafe") else loop.run_sync_soon
    )
    return call
