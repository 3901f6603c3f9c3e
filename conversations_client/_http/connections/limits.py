"""How long the steps of a request may take: limits that also end with the whole call. No I/O."""

import math
from collections.abc import Callable, MutableMapping
from typing import Any, Final, Self

from conversations_client._http.library import httpcore

from .clock import monotonic

CUT_OFF: Final = "conversations_client.cut_off"
"""The extension of a request that ended before it was sent: the timeout it had been waiting for."""


class DeadlineLimit(float):
    """Seconds that one read or write may take, less where the whole call must end sooner."""

    __slots__ = ("_clock", "_deadline", "_seconds")

    _seconds: float
    _deadline: float
    _clock: Callable[[], float]

    def __new__(cls, seconds: float, *, deadline: float, clock: Callable[[], float]) -> Self:
        self = super().__new__(cls, seconds)
        self._seconds = seconds
        self._deadline = deadline
        self._clock = clock
        return self

    def lift(self, seconds: float | None) -> None:
        """Remove the deadline and allow so many seconds for each read; None for no limit."""
        self._seconds = math.inf if seconds is None else seconds
        self._deadline = math.inf

    def shorten(self, seconds: float) -> None:
        """Set a deadline so many seconds from now."""
        self._deadline = self._clock() + seconds

    def left(self) -> float:
        """Seconds from now; 0 or less after the deadline."""
        return min(self._seconds, self._deadline - self._clock())


def seconds_left(limit: float | None, expired: type[httpcore.TimeoutException]) -> float | None:
    """The seconds left of a limit; None for no limit. Raises `expired` if none are left."""
    if not isinstance(limit, DeadlineLimit):
        return limit
    seconds = limit.left()
    if seconds <= 0:
        raise expired("deadline")
    return None if seconds == math.inf else seconds


def countdown(limit: float | None) -> DeadlineLimit | None:
    """One limit for several steps together, starting now; raises ConnectTimeout if none is left.

    Args:
        limit: The seconds that all steps to a connection may take; None for no limit.
    """
    seconds = seconds_left(limit, httpcore.ConnectTimeout)
    if seconds is None:
        return None
    return DeadlineLimit(seconds, deadline=monotonic() + seconds, clock=monotonic)


def extensions(message: httpcore.Request | httpcore.Response) -> MutableMapping[str, Any]:
    """What accompanies a request or a response besides HTTP."""
    return message.extensions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def limits(request: httpcore.Request) -> tuple[float | None, float | None, float | None]:
    """Seconds to connect, for a write and for a read; None for no limit."""
    found = extensions(request).get("timeout", {})
    return found.get("connect"), found.get("write"), found.get("read")


def pool_timeout(request: httpcore.Request) -> float:
    """Seconds to wait for a slot in a pool; raises PoolTimeout if none are left."""
    limit = extensions(request).get("timeout", {}).get("pool")
    seconds = seconds_left(limit, httpcore.PoolTimeout)
    return math.inf if seconds is None else seconds
