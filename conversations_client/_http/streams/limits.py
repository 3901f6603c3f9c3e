"""Time limits for single steps, which also respect the deadline of the whole call. No I/O."""

import math
from collections.abc import Callable
from typing import Final

from .clock import monotonic
from .errors import ConnectTimeout, TimeoutException

CLOSING_SECONDS: Final = 1.0
"""The maximum time for closing an async connection, in seconds, even in a cancelled task."""


class DeadlineLimit:
    """A time limit for one step, which also respects the deadline of the whole call.

    Args:
        seconds: Seconds for one step; infinite for no limit.
        deadline: The deadline of the whole call, in `clock` time; infinite for none.
        clock: Returns monotonic time in seconds.
    """

    __slots__ = ("_deadline", "_seconds", "clock", "spent")

    def __init__(self, seconds: float, *, deadline: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._deadline = deadline
        self.clock: Callable[[], float] = clock
        self.spent: float = 0.0
        """The seconds that cancelled attempts at the current step have taken."""

    def lift(self, seconds: float | None) -> None:
        """Remove the deadline and set the seconds for each step; None for no limit."""
        self._seconds = math.inf if seconds is None else seconds
        self._deadline = math.inf

    def shorten(self, seconds: float) -> None:
        """Set a deadline this many seconds from now."""
        self._deadline = self.clock() + seconds

    def left(self) -> float:
        """The seconds left; 0 or less after the deadline."""
        seconds = self._seconds - self.spent
        if self._deadline == math.inf:
            return seconds
        return min(seconds, self._deadline - self.clock())


def seconds_left(
    limit: DeadlineLimit | float | None, expired: type[TimeoutException]
) -> float | None:
    """The seconds left in a limit; None for no limit. Raises `expired` if none are left."""
    if not isinstance(limit, DeadlineLimit):
        return limit
    seconds = limit.left()
    if seconds <= 0:
        raise expired("deadline")
    return None if seconds == math.inf else seconds


def countdown(limit: DeadlineLimit | float | None) -> DeadlineLimit | None:
    """A limit for several steps together, starting now; raises ConnectTimeout if no time is left.

    Args:
        limit: The seconds for all steps of opening a connection; None for no limit.
    """
    seconds = seconds_left(limit, ConnectTimeout)
    if seconds is None:
        return None
    return DeadlineLimit(seconds, deadline=monotonic() + seconds, clock=monotonic)
