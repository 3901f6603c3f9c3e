"""Logs one line for each attempt, without bodies or headers."""

import logging
from typing import Final

from conversations_client.hooks import ResponseInfo

LOGGER: Final = logging.getLogger("conversations_client")

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
    level = logging.DEBUG if response.status in _SUCCESS else logging.INFO
    request = response.request
    LOGGER.log(
        level,
        "%s %s: %s after %.1f ms (attempt %d, request ID %s)%s",
        request.method,
        request.template,
        type(response.error).__name__ if response.status is None else response.status,
        response.elapsed * 1000,
        request.attempt,
        response.request_id or "unknown",
        "" if pause is None else f"; next attempt in {pause:.3g} s",
    )
