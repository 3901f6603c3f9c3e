"""The system clock, and the time format of stream events."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> int:
    """Read the system clock.

    Returns:
        Unix time in milliseconds.
    """
    return time.time_ns() // 1_000_000


class SettableClock:
    """The system clock, until a fixed time is set."""

    def __init__(self) -> None:
        self._milliseconds: int | None = None

    def __call__(self) -> int:
        """Read the clock.

        Returns:
            Unix time in milliseconds.
        """
        return system_clock() if self._milliseconds is None else self._milliseconds

    def set(self, time: object) -> None:
        """Set a fixed time.

        Args:
            time: A timezone-aware datetime, 1970 or later; None for the system clock.

        Raises:
            ValueError: The time isn't a timezone-aware datetime, or is before 1970.
        """
        if time is None:
            self._milliseconds = None
            return
        if not isinstance(time, datetime) or time.tzinfo is None:
            raise ValueError("time must be a datetime with a time zone, such as datetime.now(UTC).")
        if time < _EPOCH:
            raise ValueError("time must be in 1970 or later.")
        self._milliseconds = (time - _EPOCH) // timedelta(milliseconds=1)


def iso_8601(milliseconds: int) -> str:
    """Format a time as text.

    Args:
        milliseconds: Unix time in milliseconds.

    Returns:
        ISO 8601 in UTC, such as `2024-12-21T16:00:00.000Z`.
    """
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
