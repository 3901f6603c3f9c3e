"""HTTP/1.1 on one connection, as bytes: what is to be sent, and what came. No I/O.

h11 does it, as it does for httpcore's own connections: those spend more on traces, on locks and on
turns of the event loop than on HTTP. What is sent is written here, for h11 would make objects of
headers of which most are the same every time; it is told what it needs to read the answer.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Final, cast

import h11

from conversations_client._http.library import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_READ: Final = 2**16
"""How many bytes are asked of the network at once."""

_LARGEST_HEAD: Final = 100 * 2**10
_HEAD: Final = re.compile(
    rb"[A-Z]+ [!-~]+ HTTP/1\.1\r\n([-!#$%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n)*\r\n"
)
_END: Final = h11.EndOfMessage()


class HTTP11:
    """The requests and answers of one connection, one after the other."""

    __slots__ = ("_h11",)

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)

    def request(self, request: httpcore.Request) -> bytes:
        """What is to be sent, head and body in one; raises LocalProtocolError."""
        head = b"%b %b HTTP/1.1\r\n" % (request.method, request.url.target)
        head += b"".join([b"%b: %b\r\n" % header for header in request.headers]) + b"\r\n"
        # A value that brought a line of its own would look like one more header.
        if not _HEAD.fullmatch(head) or head.count(b"\n") != len(request.headers) + 2:
            raise httpcore.LocalProtocolError("A header that can't be sent.")
        self._h11.send(_response_parser_request(request.method))
        self._h11.send(_END)
        # The requests of this package carry what can be iterated in either colour.
        return head + b"".join(cast("Iterable[bytes]", request.stream))

    def receive(self, data: bytes) -> None:
        """Take what came, nothing at the end of all; raises RemoteProtocolError."""
        if not data and self._h11.their_state is h11.SEND_RESPONSE:
            raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
        self._h11.receive_data(data)

    def head(self) -> httpcore.Response | None:
        """The answer, its body still to come; None if more must be received first."""
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

    def piece(self) -> bytes | None:
        """The next piece of the body, nothing at its end; None if more must be received first."""
        event = self._next()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        return None if event is h11.NEED_DATA else b""

    def renew(self) -> bool:
        """Get ready for the next request.

        Returns:
            Whether that can be: not if the answer isn't whole or ends the connection, nor if more
            came than the answer, which would be taken for the next one.
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
            raise httpcore.RemoteProtocolError(str(error)) from error


@cache
def _response_parser_request(method: bytes) -> h11.Request:
    # Of a request without a body, wherever to: all that it changes is how an answer is read.
    return h11.Request(method=method, target=b"/", headers=[(b"Host", b"-")])
