"""Decides when the next request may be sent. No I/O and no clock."""

import math
from typing import Final

from attrs import define, field

from conversations_client.errors import StatusError

from .shared_backoff import Pause, SharedBackoff

_CATCH_UP: Final = 0.1  # seconds of delay that sending faster can make up for


@define(kw_only=True)
class RateLimiter:
    """A token bucket with a backoff.

    When the service throttles a request, all requests wait. After the wait, one request is sent as
    a probe; the others follow once the service has accepted it. Other limiters with the same
    backoff wait too, and send their own probes.

    Attributes:
        rate: The maximum number of requests per second; None for no limit.
        backoff: The backoff, which other limiters for the same service share and may extend.
    """

    rate: float | None
    backoff: SharedBackoff = field(factory=SharedBackoff)
    _ready_at: float | None = None
    _pause: Pause = field(factory=Pause)
    _needs_probe: bool = False
    _probe: int | None = None

    @property
    def pause(self) -> Pause:
        """The pause that ends last, even if another limiter extended the backoff."""
        return self._pause.or_longer(self.backoff.pause)

    def wait(self, now: float) -> float:
        """Seconds until the next request may be sent; infinite while a probe is in flight."""
        if self._probe is not None:
            return math.inf
        return max(0.0, self.pause.until - now, (self._ready_at or -math.inf) - now)

    def sent(self, index: int, *, now: float) -> None:
        """Record that a request is being sent."""
        if self.rate is not None:
            due = now if self._ready_at is None else max(self._ready_at, now - _CATCH_UP)
            self._ready_at = due + 1 / self.rate
        if self._needs_probe or self.backoff.pause.until > self._pause.until:
            self._pause = self.pause
            self._probe = index

    def throttled(
        self, index: int, *, pause: float, now: float, error: StatusError | None = None
    ) -> None:
        """Record that the service throttled a request.

        Args:
            index: The index of the request.
            pause: Seconds until the next request may be sent.
            now: The time.
            error: The response that asks for the pause with `Retry-After`; None if there is none.
        """
        self._needs_probe = True
        self._pause = self._pause.or_longer(Pause(now + pause, pause, error))
        self.backoff.extend(self._pause)
        if self._probe == index:
            self._probe = None

    def completed(self, index: int) -> None:
        """Record that a request ended without being throttled."""
        if self._probe == index:
            self._probe = None
            self._needs_probe = False
