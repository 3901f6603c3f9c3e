"""How long the steps of a request may take: limits that also end with the whole call. No I/O."""

import math
from collections.abc import Callable

from .clock import monotonic
from .errors import ConnectTimeout, TimeoutException


class DeadlineLimit:
    """Seconds that one step may take, less where the whole call must end sooner.

    Args:
        seconds: Seconds for one step; infinite for no limit.
        deadline: When the whole call ends, on the clock; infinite for never.
        clock: The time in seconds, from any start.
    """

    __slots__ = ("_clock", "_deadline", "_seconds")

    def __init__(self, seconds: float, *, deadline: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._deadline = deadline
        self._clock = clock

    def lift(self, seconds: float | None) -> None:
        """Remove the deadline and allow so many seconds for each step; None for no limit."""
        self._seconds = math.inf if seconds is None else seconds
        self._deadline = math.inf

    def shorten(self, seconds: float) -> None:
        """Set a deadline so many seconds from now."""
        self._deadline = self._clock() + seconds

    def left(self) -> float:
        """Seconds from now; 0 or less after the deadline."""
        if self._deadline == math.inf:
            return self._seconds
        return min(self._seconds, self._deadline - self._clock())


def seconds_left(
    limit: DeadlineLimit | float | None, expired: type[TimeoutException]
) -> float | None:
    """The seconds left of a limit; None for no limit. Raises `expired` if none are left."""
    if not isinstance(limit, DeadlineLimit):
        return limit
    seconds = limit.left()
    if seconds <= 0:
        raise expired("deadline")
    return None if seconds == math.inf else seconds


def countdown(limit: DeadlineLimit | float | None) -> DeadlineLimit | None:
    """One limit for several steps together, starting now; raises ConnectTimeout if none is left.

    Args:
        limit: The seconds that all steps to a connection may take; None for no limit.
    """
    seconds = seconds_left(limit, ConnectTimeout)
    if seconds is None:
        return None
    return DeadlineLimit(seconds, deadline=monotonic() + seconds, clock=monotonic)
