"""Decides whether and when a request is sent again. No I/O."""

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
"""The methods that are safe to repeat."""

_FINAL: Final = (DeadlineError, ResponseTooLargeError, TLSError)


@frozen
class Resend:
    """Send the request again in `pause` seconds."""

    pause: float


@frozen
class Stop:
    """Don't send the request again; `reason` is empty if it may not be repeated at all."""

    reason: str = ""


@frozen(kw_only=True)
class Retry:
    """How many times a request is sent, and the pauses in between.

    A POST or PATCH is sent again only if it provably never reached the service, or if the service
    temporarily refused it (425, 429, 503 with `Retry-After`). Requests with other methods are safe
    to repeat, so they are also sent again after a 408, any 5xx or a broken connection.

    Attributes:
        attempts: The maximum number of times that a request is sent; 1 disables retries.
            Default: 3.
        wait_initial: The first pause in seconds; each later pause is twice as long as the one
            before. Default: 0.5.
        wait_max: The maximum pause in seconds, even if `wait_initial` is longer. Default: 8.
        retry_after_max: The maximum `Retry-After`, in seconds, that the client waits for. Default:
            60.
        trust_idempotency_key: Whether the service returns its first response again for a repeated
            `Idempotency-Key`, which makes a POST safe to repeat too. Default: False.

    Raises:
        ConfigurationError: A value is invalid.

    Example:
        patient = client.with_options(retry=Retry(attempts=5, wait_max=30))
    """

    attempts: int = field(default=3, validator=validators.count)
    wait_initial: float = field(default=0.5, validator=validators.pause)
    wait_max: float = field(default=8.0, validator=validators.pause)
    retry_after_max: float = field(default=60.0, validator=validators.pause)
    trust_idempotency_key: bool = field(default=False, validator=validators.flag)


def decide(
    retry: Retry,
    request: Request,
    outcome: Outcome,
    *,
    attempt: int,
    jitter: float,
    remaining: float,
) -> Resend | Stop:
    """Decide whether to send a request again.

    Args:
        retry: The settings.
        request: What was sent.
        outcome: The outcome of the attempt.
        attempt: The number of the attempt, starting at 1.
        jitter: A random number from 0 to 1.
        remaining: Seconds until the deadline of the whole call; infinite if it has none.
    """
    if not _is_repeatable(retry, request, outcome):
        return Stop()
    retry_after = outcome.retry_after if isinstance(outcome, Reply) else None
    return next_attempt(retry, retry_after, attempt=attempt, jitter=jitter, remaining=remaining)


def next_attempt(
    retry: Retry, retry_after: float | None, *, attempt: int, jitter: float, remaining: float
) -> Resend | Stop:
    """Decide when to repeat a request that is safe to repeat.

    Args:
        retry: The settings.
        retry_after: The seconds in `Retry-After`; None if there is none.
        attempt: The number of the attempt, starting at 1.
        jitter: A random number from 0 to 1.
        remaining: Seconds until the deadline of the whole call; infinite if it has none.
    """
    if attempt >= retry.attempts:
        return Stop(f"Gave up after {attempt} attempts." if attempt > 1 else "")
    if retry_after is None:
        pause = _backoff(retry, attempt, jitter)
        subject = f"Another attempt after {seconds_text(pause)}"
    else:
        pause = retry_after
        subject = f"The Retry-After of {seconds_text(pause)}"
        if pause > retry.retry_after_max:
            return Stop(too_long(retry, pause))
    if remaining <= 0:
        return Stop("The timeout leaves no time for another attempt.")
    if pause >= remaining:
        return Stop(
            f"{subject} doesn't fit in the remaining {seconds_text(remaining)} of the timeout."
        )
    return Resend(pause)


def too_long(retry: Retry, retry_after: float) -> str:
    """Why a client doesn't wait for a `Retry-After`, in seconds, that is over its limit."""
    return (
        f"The Retry-After of {seconds_text(retry_after)} is longer than "
        f"retry_after_max={_number(retry.retry_after_max)}: wait that long, or increase it."
    )


def can_repeat(retry: Retry, request: Request, delivery: Delivery) -> bool:
    """Whether a request that the service throttled is safe to repeat.

    Args:
        retry: The settings.
        request: What was sent.
        delivery: The worst delivery of all attempts.
    """
    return delivery is not Delivery.UNKNOWN or _is_idempotent(retry, request)


def _is_repeatable(retry: Retry, request: Request, outcome: Outcome) -> bool:
    if isinstance(outcome, Reply):
        if outcome.is_throttled:
            is_safe = can_repeat(retry, request, outcome.delivery)
            return is_safe and not request.caller_handles_throttling
        is_temporary = outcome.status == 408 or 500 <= outcome.status <= 599  # noqa: PLR2004
        return is_temporary and _is_idempotent(retry, request)
    if isinstance(outcome, _FINAL):
        return False
    return outcome.delivery is Delivery.UNSENT or _is_idempotent(retry, request)


def _is_idempotent(retry: Retry, request: Request) -> bool:
    has_key = request.method == "POST" or request.idempotency_key is not None
    return request.method in IDEMPOTENT or (retry.trust_idempotency_key and has_key)


def _backoff(retry: Retry, attempt: int, jitter: float) -> float:
    # Half of the pause is random, so that clients that failed together don't retry together.
    full = min(retry.wait_max, retry.wait_initial * 2.0 ** min(attempt - 1, 60))
    return full * (0.5 + 0.5 * jitter)


def seconds_text(seconds: float) -> str:
    """A number of seconds, for error messages."""
    return f"{_number(seconds)} s"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004
