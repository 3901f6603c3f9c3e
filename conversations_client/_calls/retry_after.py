"""The `Retry-After` header, as seconds or as a date."""

import re
from typing import Final

_SECONDS: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,9})?", re.ASCII)


def seconds_to_wait(value: str | None, *, now: float) -> float | None:
    """The seconds that a `Retry-After` asks for; None if it is absent or makes no sense.

    Args:
        value: The header's value.
        now: When it was received, in Unix seconds; a date before it is 0 seconds away.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    return _seconds_until(text, now)


def _seconds_until(date: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
