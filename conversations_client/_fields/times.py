"""The API's milliseconds as datetimes."""

from datetime import UTC, datetime, timedelta
from typing import Final

from conversations_client.errors import OutOfRangeError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def as_datetime(milliseconds: float) -> datetime:
    """Unix milliseconds as an aware datetime in UTC; raises OutOfRangeError."""
    # datetime.fromtimestamp() rejects negative times on some systems.
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        raise OutOfRangeError(
            "The time is outside the years 1 to 9999, the range that datetime supports: use "
            "the number of milliseconds instead."
        ) from None
