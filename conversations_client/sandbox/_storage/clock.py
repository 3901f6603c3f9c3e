"""The system's clock, and times as stream events spell them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """Read the system's clock.

    Returns:
        Unix time in milliseconds.
    """
    return time.time_ns() // 1_000_000


def iso_8601(milliseconds: int) -> str:
    """Format a time as text.

    Args:
        milliseconds: Unix time in milliseconds.

    Returns:
        ISO 8601 in UTC, such as `2024-12-21T16:00:00.000Z`.
    """
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
