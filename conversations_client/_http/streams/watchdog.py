"""Ends the waits of an event loop whose clock stands still.

asyncio and trio measure timeouts on clocks that freezegun stops in tests, so that no timeout ends.
A thread measures them then.
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
    """Whether something has replaced the clock that event loops use."""
    return not isinstance(time.monotonic, BuiltinFunctionType)


def move_on_after(seconds: float) -> "AbstractContextManager[anyio.CancelScope, bool]":
    """A block that is cancelled after so many real seconds."""
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
    """Run a function in an event loop of asyncio after so many real seconds."""
    if not is_clock_replaced():
        return loop.call_later(seconds, function, *args)
    timer = threading.Timer(seconds, _call_soon, [loop.call_soon_threadsafe, function, *args])
    timer.daemon = True
    timer.start()
    return timer


def _call_soon(call: Callable[..., object], function: Callable[..., object], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the event loop has ended
        call(function, *args)


class Timer(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> object:
        """Do not call the function; again does nothing."""
        ...


async def sleep(seconds: float) -> None:
    """Sleep so many real seconds."""
    import anyio

    if not is_clock_replaced():
        await anyio.sleep(seconds)
        return
    with move_on_after(seconds):
        await anyio.sleep_forever()


class _Watched:
    def __init__(self, seconds: float) -> None:
        import anyio

        self._seconds = seconds
        self._scope = anyio.CancelScope()

    def __enter__(self) -> "anyio.CancelScope":
        self._timer = threading.Timer(self._seconds, self._expire, [_threadsafe_call()])
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
        _call_soon(call, self._scope.cancel)


def _threadsafe_call() -> Callable[[Callable[[], object]], object]:
    """What runs a function in this event loop, from any thread."""
    import anyio.lowlevel

    token: Any = anyio.lowlevel.current_token()
    loop: Any = getattr(token, "native_token", token)
    found: Callable[[Callable[[], object]], object] = (
        loop.call_soon_threadsafe if hasattr(loop, "call_soon_threadsafe") else loop.run_sync_soon
    )
    return found
