"""Parses the `Retry-After` header: seconds or a date."""

import re
from typing import Final

from conversations_client._base.http_dates import parse_http_date

_SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


def seconds_to_wait(value: str | None, *, now: float) -> float | None:
    """The seconds that `Retry-After` asks to wait; None if it is absent or invalid.

    Args:
        value: The value of the header.
        now: The Unix time of receipt in seconds; an earlier date means 0 seconds.
    """
    if value is None:
        return None
    text = value.strip()
    # Several headers, such as those of a service and a proxy, arrive as a list.
    values = [each.strip() for each in text.split(",")]
    if all(map(_SECONDS.fullmatch, values)):
        return max(map(float, values))  # infinite if there are too many digits
    date = parse_http_date(text, now=now)
    return None if date is None else max(0.0, date.timestamp() - now)
