"""One line of log for each attempt: never a body, never a header."""

import logging
from typing import Final

from conversations_client.hooks import ResponseInfo

LOGGER: Final = logging.getLogger("conversations_client")

_SUCCESS: Final = range(200, 300)


def is_wanted() -> bool:
    """Whether anybody reads what succeeds, or what fails."""
    return LOGGER.isEnabledFor(logging.INFO)


def log(response: ResponseInfo, pause: float | None) -> None:
    """Write the line; what succeeds is for debugging.

    Args:
        response: How the attempt ended.
        pause: Seconds until the next one; None if there is none.
    """
    level = logging.DEBUG if response.status in _SUCCESS else logging.INFO
    request = response.request
    LOGGER.log(
        level,
        "%s %s: %s after %.1f ms (attempt %d, request id %s)%s",
        request.method,
        request.template,
        type(response.error).__name__ if response.status is None else response.status,
        response.elapsed * 1000,
        request.attempt,
        response.request_id or "unknown",
        "" if pause is None else f"; again in {pause:.3g} s",
    )
