"""Serializes the head of a request and adds the body. No I/O.

h11 isn't used because it would build the same objects for every request.
"""

import re
from collections.abc import Iterable
from typing import Final

from conversations_client._http.streams.errors import LocalProtocolError

from .route import Route
from .wire import WireRequest

_TARGET: Final = re.compile(rb"[!-~]+")
_LINE: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n")


def request_bytes(request: WireRequest, route: Route) -> bytes:
    """The bytes of a request, head and body; raises LocalProtocolError."""
    if not _TARGET.fullmatch(request.target):
        raise LocalProtocolError("The path can't be sent.")
    origin, lines = (b"", b"") if route.forwarder is None else _forwarding_parts(route)
    return b"%b %b%b HTTP/1.1\r\n%b%b%b\r\n%b" % (
        request.method,
        origin,
        request.target,
        request.fixed_lines,
        request.lines,
        lines,
        request.body,
    )


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Serialize headers, each with its line end; raises LocalProtocolError."""
    lines = [b"%b: %b\r\n" % header for header in headers]
    # A line break in a value would start another header.
    if not all(_LINE.fullmatch(line) for line in lines):
        raise LocalProtocolError("A header can't be sent.")
    return b"".join(lines)


def _forwarding_parts(route: Route) -> tuple[bytes, bytes]:
    """The additional origin and header lines for a forwarding proxy."""
    authorization = route.forwarder.authorization() if route.forwarder else []
    lines = header_lines(authorization)
    return f"http://{route.authority}".encode("ascii"), lines
