"""HTTP/1.1 on one connection, as bytes to send and bytes received. No I/O.

Requests are serialized here: h11 would build objects from headers that are nearly the same every
time. h11 parses the responses; it learns only what it needs for that.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, Protocol

import h11

from conversations_client._http.streams.errors import LocalProtocolError, RemoteProtocolError

from .route import Route
from .wire import WireRequest, WireResponse

MOST_READ: Final = 2**16
"""The most bytes to read from the network at once."""

LARGEST_HEAD: Final = 100 * 2**10
"""The most bytes that the head of a response may have."""

_TARGET: Final = re.compile(rb"[!-~]+")
_LINE: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n")
_END: Final = h11.EndOfMessage()


def request_bytes(request: WireRequest, route: Route) -> bytes:
    """The bytes to send, head and body together; raises LocalProtocolError."""
    if not _TARGET.fullmatch(request.target):
        raise LocalProtocolError("The path can't be sent.")
    origin, lines = (b"", b"") if route.forwarder is None else _forwarded(route)
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
    """Headers as they are sent, each with its line end; raises LocalProtocolError."""
    lines = [b"%b: %b\r\n" % header for header in headers]
    # A value with a line break would look like another header.
    if not all(_LINE.fullmatch(line) for line in lines):
        raise LocalProtocolError("A header can't be sent.")
    return b"".join(lines)


def _forwarded(route: Route) -> tuple[bytes, bytes]:
    """What a request to a forwarding proxy adds: the origin before its target, and header lines."""
    authorization = route.forwarder.authorization() if route.forwarder else []
    lines = header_lines(authorization)
    return f"http://{route.authority}".encode("ascii"), lines


class ResponseParser(Protocol):
    """Parses the responses of one connection, one after the other."""

    def start(self, method: bytes) -> None:
        """Get ready for the response to a request."""
        ...

    def receive(self, data: bytes) -> None:
        """Take received data, empty at the end of the connection; raises RemoteProtocolError."""
        ...

    def head(self) -> WireResponse | None:
        """The response without its body; None if more must be received first."""
        ...

    def chunk(self) -> bytes | None:
        """The next chunk of the body, empty at its end; None if more must be received first."""
        ...

    def renew(self) -> bool:
        """Get ready for the next request.

        Returns:
            Whether the connection can be used again: not if the response isn't complete or ends the
            connection, nor if data followed it, which would pass for the next response.
        """
        ...


class H11Parser(ResponseParser):
    """Parses with h11, in Python."""

    __slots__ = ("_h11",)

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)

    def start(self, method: bytes) -> None:
        """Get ready for the response to a request."""
        self._h11.send(_response_parser_request(method))
        self._h11.send(_END)

    def receive(self, data: bytes) -> None:
        """Take received data, empty at the end of the connection; raises RemoteProtocolError."""
        if not data and self._h11.their_state is h11.SEND_RESPONSE:
            raise RemoteProtocolError("Server disconnected without sending a response.")
        self._h11.receive_data(data)

    def head(self) -> WireResponse | None:
        """The response without its body; None if more must be received first."""
        while (event := self._next()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                return WireResponse(
                    event.status_code,
                    event.headers.raw_items(),
                    version=event.http_version,
                    reason=event.reason,
                )
        return None

    def chunk(self) -> bytes | None:
        """The next chunk of the body, empty at its end; None if more must be received first."""
        event = self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        return None if event is h11.NEED_DATA else b""

    def renew(self) -> bool:
        """Get ready for the next request; see `ResponseParser`."""
        states = (self._h11.our_state, self._h11.their_state)
        ended = states == (h11.DONE, h11.DONE) and not self._h11.trailing_data[0]
        if ended:
            self._h11.start_next_cycle()
        return ended

    def _next(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            # h11 quotes what it couldn't parse, as the repr of a bytearray.
            problem = str(error).partition(": bytearray(")[0]
            raise RemoteProtocolError(problem) from error


@cache
def _response_parser_request(method: bytes) -> h11.Request:
    # The method is all that h11 needs to read the response.
    return h11.Request(method=method, target=b"/", headers=[(b"Host", b"-")])


def new_parser() -> ResponseParser:
    """The parser of a new connection."""
    return H11Parser()
