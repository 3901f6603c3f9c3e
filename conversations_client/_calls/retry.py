"""When a request may be sent again, and how long to wait before: a value in, a value out."""

from typing import Final

from attrs import field, frozen

from conversations_client._fields import validators
from conversations_client.errors import (
    DeadlineError,
    Delivery,
    ResponseTooLargeError,
    TLSError,
)

from .operation import Outcome, Reply, Request

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
"""The methods that change nothing when repeated."""

_FINAL: Final = (DeadlineError, ResponseTooLargeError, TLSError)


@frozen
class Again:
    """Send the request again, `pause` seconds from now."""

    pause: float


@frozen
class Stop:
    """The outcome stands; `reason` is empty unless it would have been worth another attempt."""

    reason: str = ""


@frozen(kw_only=True)
class Retry:
    """How often and how patiently a request is sent again.

    A POST or PATCH is only repeated if it provably never reached the service, or if the service
    refused it for now (425, 429, 503 with `Retry-After`). The other methods change nothing when
    repeated, so they also are after 408, any 5xx and a broken connection.

    Attributes:
        attempts: How often a request is sent at most; 1 never repeats. Default 3.
        wait_initial: Seconds of the first pause, doubled for each one after. Default 0.5.
        wait_max: Seconds that a pause grows to at most. Default 8.
        retry_after_max: Seconds of a `Retry-After` that are still waited for. Default 60.
        trust_idempotency_key: Whether the service answers a repeated `Idempotency-Key` with its
            first answer, so that a POST may be repeated like the other methods. Default False.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    attempts: int = field(default=3, validator=validators.count)
    wait_initial: float = field(default=0.5, validator=validators.pause)
    wait_max: float = field(default=8.0, validator=validators.pause)
    retry_after_max: float = field(default=60.0, validator=validators.pause)
    trust_idempotency_key: bool = field(default=False, validator=validators.flag)

    def decide(
        self, request: Request, outcome: Outcome, *, attempt: int, jitter: float, remaining: float
    ) -> Again | Stop:
        """Whether to send the request again.

        Args:
            request: What was sent.
            outcome: How the attempt ended.
            attempt: Which one it was, from 1.
            jitter: A random number from 0 to 1.
            remaining: Seconds until the deadline of the whole call; infinite if it has none.
        """
        asked = outcome.retry_after if isinstance(outcome, Reply) else None
        if not self._is_repeatable(request, outcome):
            return Stop()
        return self.again(asked, attempt=attempt, jitter=jitter, remaining=remaining)

    def again(
        self, asked: float | None, *, attempt: int, jitter: float, remaining: float
    ) -> Again | Stop:
        """When to send again what may be sent again.

        Args:
            asked: Seconds that the service asks to wait; None if it doesn't.
            attempt: Which attempt it was, from 1.
            jitter: A random number from 0 to 1.
            remaining: Seconds until the deadline of the whole call; infinite if it has none.
        """
        if attempt >= self.attempts:
            return Stop(f"Gave up after {attempt} attempts." if attempt > 1 else "")
        if asked is None:
            pause = self._backoff(attempt, jitter)
            words = f"Another attempt after {pause:.3g} s"
        else:
            pause = asked
            words = f"The Retry-After of {pause:.3g} s"
            if pause > self.retry_after_max:
                return Stop(
                    f"{words} is longer than retry_after_max={self.retry_after_max:.3g}: "
                    "wait so long, or raise it."
                )
        if pause >= remaining:
            return Stop(f"{words} doesn't fit the {remaining:.3g} s left of the timeout.")
        return Again(pause)

    def _is_repeatable(self, request: Request, outcome: Outcome) -> bool:
        has_key = request.method == "POST" or request.idempotency_key is not None
        idempotent = request.method in IDEMPOTENT or (self.trust_idempotency_key and has_key)
        if isinstance(outcome, Reply):
            if outcome.is_throttled:
                return not request.is_one_of_many
            return (
                idempotent and (outcome.status == 408 or 500 <= outcome.status <= 599)  # noqa: PLR2004
            )
        if isinstance(outcome, _FINAL):
            return False
        return idempotent or outcome.delivery is Delivery.UNSENT

    def _backoff(self, attempt: int, jitter: float) -> float:
        # Half of it fixed, half at random: clients that failed together don't return together.
        full = min(self.wait_max, self.wait_initial * 2.0 ** min(attempt - 1, 60))
        return full * (0.5 + 0.5 * jitter)
