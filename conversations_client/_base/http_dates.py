"""Dates in HTTP headers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from .lazy_imports import lazy_import

_TWO_DIGIT_YEAR: Final = re.compile(r"-[0-9]{2}(?=\s)", re.ASCII)
_MAX_YEARS_AHEAD: Final = 50  # RFC 9110: a two-digit year further ahead is in the past


def parse_http_date(text: str, *, now: float | None = None) -> datetime | None:
    """Parse an HTTP date into a UTC datetime; None if the text is not a date.

    All three formats of RFC 9110 are supported: IMF-fixdate, RFC 850 and asctime. Dates without a
    numeric offset are UTC, regardless of the local time zone.

    Args:
        text: The value of the header.
        now: Unix time in seconds, which determines the century of a two-digit year; the current
            time if None.
    """
    lazy_import("email.utils")
    from email.utils import parsedate_tz

    try:
        parsed = parsedate_tz(text)
        if parsed is None:
            return None
        year, month, day, hour, minute, second = parsed[:6]
        if _TWO_DIGIT_YEAR.search(text):
            year = _full_year(year % 100, now)
        date = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        return date - timedelta(seconds=parsed[9] or 0)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _full_year(last_digits: int, now: float | None) -> int:
    current = (datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)).year
    year = current - current % 100 + last_digits
    return year - 100 if year > current + _MAX_YEARS_AHEAD else year
