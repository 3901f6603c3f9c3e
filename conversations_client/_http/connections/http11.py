"""HTTP/1.1 on one connection, as bytes to send and bytes received. No I/O.

h11 parses, as it does for httpcore's own connections, which spend more on traces, locks and turns
of the event loop than on HTTP. Requests are serialized here: h11 would build objects from headers
that are nearly the same every time. It learns only what it needs to read the response.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Final, cast

import h11

from conversations_client._http.library import httpcore

from .route import Route

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_READ: Final = 2**16
"""The most bytes to read from the network at once."""

_LARGEST_HEAD: Final = 100 * 2**10
_HEAD: Final = re.compile(
    rb"[A-Z]+ [!-~]+ HTTP/1\.1\r\n([-!#$%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n)*\r\n"
)
_END: Final = h11.EndOfMessage()


class HTTP11:
    """The requests and responses of one connection, one after the other.

    Args:
        route: Where the connection leads.
    """

    __slots__ = ("_authorization", "_h11", "_origin")

    def __init__(self, route: Route) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._origin = b""
        self._authorization: list[tuple[bytes, bytes]] = []
        if route.forwarder is not None:
            # A request to a proxy names the whole URL.
            self._origin = f"http://{route.authority}".encode("ascii")
            self._authorization = route.forwarder.authorization()

    def request(self, request: httpcore.Request) -> bytes:
        """The bytes to send, head and body together; raises LocalProtocolError."""
        headers = [*request.headers, *self._authorization]
        head = b"%b %b%b HTTP/1.1\r\n" % (request.method, self._origin, request.url.target)
        head += b"".join([b"%b: %b\r\n" % header for header in headers]) + b"\r\n"
        # A value with a line break would look like another header.
        if not _HEAD.fullmatch(head) or head.count(b"\n") != len(headers) + 2:
            raise httpcore.LocalProtocolError("A header can't be sent.")
        self._h11.send(_response_parser_request(request.method))
        self._h11.send(_END)
        # The bodies of this package can be iterated by sync and async code.
        return head + b"".join(cast("Iterable[bytes]", request.stream))

    def receive(self, data: bytes) -> None:
        """Take received data, empty at the end of the connection; raises RemoteProtocolError."""
        if not data and self._h11.their_state is h11.SEND_RESPONSE:
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        self._h11.receive_data(data)

    def head(self) -> httpcore.Response | None:
        """The response without its body; None if more must be received first."""
        while (event := self._next()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                return httpcore.Response(
                    event.status_code,
                    headers=event.headers.raw_items(),
                    extensions={
                        "http_version": b"HTTP/" + event.http_version,
                        "reason_phrase": event.reason,
                    },
                )
        return None

    def chunk(self) -> bytes | None:
        """The next chunk of the body, empty at its end; None if more must be received first."""
        event = self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        return None if event is h11.NEED_DATA else b""

    def renew(self) -> bool:
        """Get ready for the next request.

        Returns:
            Whether the connection can be used again: not if the response isn't complete or ends the
            connection, nor if data followed it, which would pass for the next response.
        """
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
            raise httpcore.RemoteProtocolError(problem) from error


@cache
def _response_parser_request(method: bytes) -> h11.Request:
    # The method is all that h11 needs to read the response.
    return h11.Request(method=method, target=b"/", headers=[(b"Host", b"-")])
