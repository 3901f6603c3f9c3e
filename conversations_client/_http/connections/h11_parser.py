"""Parses responses with h11. No I/O."""

from functools import cache
from typing import Final

import h11

from conversations_client._http.streams.errors import RemoteProtocolError

from .parser_protocol import ResponseParser
from .wire import WireResponse

MAX_HEAD_SIZE: Final = 100 * 2**10
"""The maximum size of the head, a chunk header or the trailers of a response, in bytes."""

_MAX_OVERHEAD: Final = 4 * MAX_HEAD_SIZE
"""The maximum size of all data outside the body, in bytes: interim responses, the head, chunk
headers and trailers."""
_OVERHEAD_PER_BYTE: Final = 16
"""Extra overhead bytes allowed per body byte, because the body may arrive in one-byte chunks."""

_TOO_LONG: Final = "Receive buffer too long"
"""h11's error for a head, a chunk header or trailers over the limit."""
_END: Final = h11.EndOfMessage()


class H11Parser(ResponseParser):
    """Parses responses with h11."""

    __slots__ = ("_allowance", "_h11")

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        self._allowance = _MAX_OVERHEAD

    def start(self, method: bytes) -> None:
        """Prepare for the response to a request."""
        self._allowance = _MAX_OVERHEAD
        self._h11.send(_response_parser_request(method))
        self._h11.send(_END)

    def receive(self, data: bytes) -> None:
        """Process received data, empty at the end of the connection; raises RemoteProtocolError."""
        if not data and self._h11.their_state is h11.SEND_RESPONSE:
            has_started = self._allowance < _MAX_OVERHEAD
            moment = "before the end of the head" if has_started else "without sending a response"
            raise RemoteProtocolError(f"Server disconnected {moment}.")
        self._allowance -= len(data)
        if self._allowance < 0:
            # h11 limits the size of each part, but not their number.
            raise RemoteProtocolError("too much data outside the response body")
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
            self._allowance += len(event.data) * (1 + _OVERHEAD_PER_BYTE)
            return bytes(event.data)
        return None if event is h11.NEED_DATA else b""

    def renew(self) -> bool:
        """Prepare for the next request; see `ResponseParser`."""
        states = (self._h11.our_state, self._h11.their_state)
        ended = states == (h11.DONE, h11.DONE) and not self._h11.trailing_data[0]
        if ended:
            self._h11.start_next_cycle()
        return ended

    def _next(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            # h11's message ends with the invalid data, as the repr of a bytearray.
            problem = str(error).partition(": bytearray(")[0]
            if problem == _TOO_LONG:
                problem = (
                    f"the response head, or a line in it, is longer than {MAX_HEAD_SIZE} bytes"
                )
            raise RemoteProtocolError(problem) from error


@cache
def _response_parser_request(method: bytes) -> h11.Request:
    # To parse the response, h11 needs only the method.
    return h11.Request(method=method, target=b"/", headers=[(b"Host", b"-")])
