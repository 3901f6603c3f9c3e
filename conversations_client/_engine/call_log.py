"""Logs one line for each attempt and each broken stream, without bodies or headers."""

import logging
from typing import Final

from conversations_client.errors import ConversationsError
from conversations_client.hooks import RequestInfo, ResponseInfo

LOGGER: Final = logging.getLogger("conversations_client")
_THROTTLING: Final = LOGGER.getChild("throttling")

_SUCCESS: Final = range(200, 300)


def is_log_enabled() -> bool:
    """Whether a failed attempt would be logged."""
    return LOGGER.isEnabledFor(logging.INFO)


def log(response: ResponseInfo, pause: float | None) -> None:
    """Log an attempt, at DEBUG if it succeeded and at INFO if not.

    Args:
        response: The result of the attempt.
        pause: Seconds until the next attempt; None if there is none.
    """
    _log(
        logging.DEBUG if response.status in _SUCCESS else logging.INFO,
        response.request,
        type(response.error).__name__ if response.status is None else response.status,
        response.elapsed,
        response.request_id,
        "" if pause is None else f"; next attempt in {pause:.3g} s",
    )


def log_broken_stream(request: RequestInfo, error: ConversationsError, elapsed: float) -> None:
    """Log a stream that ended with an error, at INFO.

    Args:
        request: The attempt that the stream belongs to.
        error: The error that the caller gets.
        elapsed: Seconds since the start of the call.
    """
    reason = getattr(error, "reason", None)
    cause = "" if reason is None else f" ({type(reason).__name__})"
    outcome = f"{type(error).__name__}{cause}"
    _log(logging.INFO, request, outcome, elapsed, error.request_id, "")


def _log(  # noqa: PLR0917 - the parts of the line, in order
    level: int,
    request: RequestInfo,
    outcome: object,
    elapsed: float,
    request_id: str | None,
    suffix: str,
) -> None:
    LOGGER.log(
        level,
        "%s %s: %s after %.1f ms (attempt %d, request ID %s)%s",
        request.method,
        request.template,
        outcome,
        elapsed * 1000,
        request.attempt,
        request_id or "unknown",
        suffix,
    )


def log_pause(name: str, seconds: float) -> None:
    """Log that the requests of a bulk call wait because the service throttles them."""
    _THROTTLING.info(
        "%s: the service is throttling; next request in %.3g s",
        name,
        seconds,
        extra={"pause": seconds},
    )
