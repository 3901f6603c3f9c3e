"""How long an idle connection may be used again. No I/O."""

import re
from collections.abc import Iterable
from typing import Final

KEEPALIVE_SECONDS: Final = 4.0
"""Clearly shorter than the 5 seconds after which Node and others close an idle connection.

A request that is sent while the service closes may have been processed, or not.
"""

_MARGIN: Final = 1.0
_PARAMETERS: Final = re.compile(rb"\b(timeout|max)\s*=\s*\"?([0-9]{1,9})")


def keepalive_seconds(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """The seconds that a connection may be idle after a response with these headers.

    `Keep-Alive: timeout=…` can shorten the client's own limit: the service announces when it
    closes, and the request needs time to arrive. `max=0` announces that no other request is served.
    """
    seconds = KEEPALIVE_SECONDS
    for name, value in headers:
        if name.lower() == b"keep-alive":
            for parameter, number in _PARAMETERS.findall(value.lower()):
                if parameter == b"timeout":
                    seconds = min(seconds, int(number) - _MARGIN)
                elif int(number) == 0:
                    seconds = 0.0
    return max(seconds, 0.0)
