"""Describes times relative to now, such as "3 minutes ago"."""

from typing import Final

_UNITS: Final = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)
_MAX_DURATION: Final = 10_000 * 365 * 86_400_000


def relative_time(then: float, *, now: float) -> str:
    """Describe a time relative to now.

    Args:
        then: Unix time in milliseconds, of any size.
        now: Unix time in milliseconds.

    Returns:
        "just now" within a minute, otherwise whole units such as "3 minutes ago" or "in 2 hours",
        up to "more than 10,000 years ago".
    """
    duration = _duration(then, now)
    if not duration:
        return "just now"
    return f"in {duration}" if then > now else f"{duration} ago"


def _duration(then: float, now: float) -> str:
    # Compared first, because the service may send an integer that is too large for a float.
    if not now - _MAX_DURATION <= then <= now + _MAX_DURATION:
        return "more than 10,000 years"
    seconds = abs(now - then) / 1000
    for unit, length in _UNITS:
        count = int(seconds // length)
        if count:
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    return ""
