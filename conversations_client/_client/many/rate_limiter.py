"""When the next of many requests may be sent. No I/O and no clock: each method is told the time."""

import math
from typing import Final

from attrs import define, field

from .shared_backoff import SharedBackoff

_CATCH_UP: Final = 0.1  # seconds of delay that are made up for, by sending faster for a moment


@define(kw_only=True)
class RateLimiter:
    """A token bucket, and one pause for all.

    When the service has put a request off, all wait; then one goes alone, and the others when
    the service has taken it. Who shares the pause waits too, and has one of its own go ahead.

    Attributes:
        rate: How many are sent in a second at most; None for no limit.
        pause: DeadlineLimit when all wait who send to the same service; others may make it longer.
    """

    rate: float | None
    pause: SharedBackoff = field(factory=SharedBackoff)
    _ready_at: float | None = None
    _paused_until: float = -math.inf
    _is_shut: bool = False
    _probe: int | None = None

    def wait(self, now: float) -> float:
        """Seconds until the next may be sent: 0 for now, infinite for not before an answer."""
        if self._probe is not None:
            return math.inf
        paused_until = max(self._paused_until, self.pause.until)
        return max(0.0, paused_until - now, (self._ready_at or -math.inf) - now)

    def sent(self, index: int, *, now: float) -> None:
        """Take note of a request that is sent."""
        if self.rate is not None:
            due = now if self._ready_at is None else max(self._ready_at, now - _CATCH_UP)
            self._ready_at = due + 1 / self.rate
        if self._is_shut or self.pause.until > self._paused_until:
            self._paused_until = max(self._paused_until, self.pause.until)
            self._is_shut = True
            self._probe = index

    def throttled(self, index: int, *, pause: float, now: float) -> None:
        """Take note of a request that the service wants later, `pause` seconds from now."""
        self._is_shut = True
        self._paused_until = max(self._paused_until, now + pause)
        self.pause.extend(self._paused_until)
        if self._probe == index:
            self._probe = None

    def answered(self, index: int) -> None:
        """Take note of a request that has ended in any other way."""
        if self._probe == index:
            self._probe = None
            self._is_shut = False
