"""How long ago something was, in words."""

from typing import Final

_UNITS: Final = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)


def relative_time(then: float, *, now: float) -> str:
    """Say when `then` was, seen from `now`.

    Args:
        then: Unix time in milliseconds.
        now: Unix time in milliseconds.

    Returns:
        "just now" within a minute, else whole units such as "3 minutes ago" or "in 2 hours".
    """
    seconds = abs(now - then) / 1000
    for unit, length in _UNITS:
        count = int(seconds // length)
        if count:
            words = f"{count:,} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if then > now else f"{words} ago"
    return "just now"
