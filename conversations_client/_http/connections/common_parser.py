"""Parses common responses quickly; h11 parses all others. No I/O.

A response is common if its head follows RFC 9112 strictly, and its body has one `Content-Length` or
chunks without extensions or trailers. h11 takes over at the first byte that deviates from this.
Only h11 decides what is accepted and which errors are raised.
"""

import re
from typing import TYPE_CHECKING, Final

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._http.streams.errors import RemoteProtocolError

from .parser_protocol import ResponseParser
from .wire import WireResponse, lower_case_names

if TYPE_CHECKING:
    from .h11_parser import H11Parser

_MAX_HEAD_SIZE: Final = 16 * 2**10
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ([ -~]*)\r\n")
_HEADERS: Final = re.compile(rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+: ?[!-~](?:[ -~]*[!-~])?\r\n)*\r\n")
_HEADER: Final = re.compile(rb"([^:\r\n]+): ?([^\r\n]+)\r\n")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_LAST_CHUNK: Final = b"0\r\n\r\n"
_MAX_CHUNK_LINE_LENGTH: Final = 10
_MAX_LENGTH_DIGITS: Final = 18
_WITHOUT_BODY: Final = frozenset({b"204", b"304"})
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"connection", b"upgrade"})


class CommonParser(ResponseParser):
    """Parses the responses of one connection, one at a time."""

    __slots__ = (
        "_buffer",
        "_h11",
        "_has_ended",
        "_head",
        "_is_chunked",
        "_is_over",
        "_left",
        "_method",
        "_size",
    )

    def __init__(self) -> None:
        self._buffer = b""
        self.start(b"GET")

    def start(self, method: bytes) -> None:
        """Prepare for the response to a request."""
        self._h11: H11Parser | None = None
        self._method = method
        self._head = b""
        self._is_chunked = self._is_over = self._has_ended = False
        self._size = self._left = 0  # bytes of the body or chunk: in total, and not yet received
        if method == b"HEAD":
            self._take_over()

    def receive(self, data: bytes) -> None:
        """Process received data, empty at the end of the connection; raises RemoteProtocolError."""
        if self._h11 is not None:
            self._h11.receive(data)
        elif data:
            self._buffer = self._buffer + data if self._buffer else data
        elif not self._head:
            self._take_over().receive(b"")
        else:
            self._has_ended = True

    def head(self) -> WireResponse | None:
        """The response without its body; None if more must be received first."""
        if self._h11 is not None:
            return self._h11.head()
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end < 4:  # noqa: PLR2004 - it was not found
            return None if self._may_be_common() else self._take_over().head()
        response = self._parsed(self._buffer[:end])
        if response is None:
            return self._take_over().head()
        self._head, self._buffer = self._buffer[:end], self._buffer[end:]
        return response

    def chunk(self) -> bytes | None:
        """The next chunk of the body, empty at its end; None if more must be received first."""
        if self._h11 is None and self._is_chunked and not self._left and not self._is_over:
            self._begin_chunk()
        if self._h11 is not None:
            return self._h11.chunk()
        if not self._left:
            self._is_over = self._is_over or not self._is_chunked
            if self._is_over:
                return b""
        if not self._left or not self._buffer:
            self._check_open()
            return None
        data, self._buffer = self._buffer, b""
        if len(data) > self._left:
            data, self._buffer = data[: self._left], data[self._left :]
        self._left -= len(data)
        return data

    @property
    def is_complete(self) -> bool:
        """Whether `chunk` has returned the whole body; False if that isn't known yet."""
        return not self._left and not self._is_chunked and self._h11 is None

    def renew(self) -> bool:
        """Prepare for the next request; see `ResponseParser`."""
        if self._h11 is not None:
            return self._h11.renew()
        is_read = not self._is_chunked and not self._left
        is_whole = bool(self._head) and (self._is_over or is_read)
        return is_whole and not self._buffer and not self._has_ended

    def _may_be_common(self) -> bool:
        """Whether an incomplete head may belong to a common response."""
        is_whole = b"\n\n" in self._buffer or b"\n\r\n" in self._buffer
        is_small = len(self._buffer) <= _MAX_HEAD_SIZE
        return not self._buffer or (self._buffer.startswith(b"H") and is_small and not is_whole)

    def _parsed(self, head: bytes) -> WireResponse | None:
        """The head of a common response; None if it isn't common."""
        status = _STATUS_LINE.match(head)
        if status is None or not _HEADERS.fullmatch(head, status.end()):
            return None
        headers: list[tuple[bytes, bytes]] = _HEADER.findall(head, status.end())
        names = lower_case_names(headers)
        framing = [(name, headers[n][1]) for n, name in enumerate(names) if name in _FRAMING]
        if status[1] in _WITHOUT_BODY or not self._is_framed(framing):
            return None
        return WireResponse(int(status[1]), headers, names=names, reason=status[2])

    def _is_framed(self, framing: list[tuple[bytes, bytes]]) -> bool:
        match [each for each in framing if each != (b"connection", b"keep-alive")]:
            case [(b"content-length", size)] if size.isdigit() and len(size) <= _MAX_LENGTH_DIGITS:
                self._size = self._left = int(size)
                return True
            case [(b"transfer-encoding", b"chunked")]:
                self._is_chunked = True
                return True
            case _:
                return False

    def _begin_chunk(self) -> None:
        buffer = self._buffer
        if self._size:
            # The line end after the previous chunk.
            if not b"\r\n".startswith(buffer[:2]):
                self._take_over_body()
                return
            if len(buffer) < 2:  # noqa: PLR2004 - its length
                return
        start = 2 if self._size else 0
        size = _CHUNK_SIZE.match(buffer, start)
        rest = len(buffer) - start
        if size is not None and int(size[1], 16):
            self._size = self._left = int(size[1], 16)
            self._buffer = buffer[size.end() :]
        elif buffer.startswith(_LAST_CHUNK, start):
            self._buffer = buffer[start + len(_LAST_CHUNK) :]
            self._is_over = True
        elif rest > _MAX_CHUNK_LINE_LENGTH or (
            b"\n" in buffer[start:] and not _LAST_CHUNK.startswith(buffer[start:])
        ):
            self._take_over_body()

    def _take_over(self) -> "H11Parser":
        """Let h11 parse the response, including the part already received."""
        lazy_import("conversations_client._http.connections.h11_parser")
        from .h11_parser import H11Parser

        parser = self._h11 = H11Parser()
        parser.start(self._method)
        if self._buffer:
            parser.receive(self._buffer)
            self._buffer = b""
        return parser

    def _take_over_body(self) -> "H11Parser":
        """Let h11 parse the rest of a chunked body.

        A one-byte chunk stands in for the chunk just read.
        """
        rest, self._buffer = self._buffer, self._head
        parser = self._take_over()
        parser.head()
        if self._size:
            parser.receive(b"1\r\n.")
            parser.chunk()
        parser.receive(rest)
        return parser

    def _check_open(self) -> None:
        """Raise RemoteProtocolError if the connection has ended."""
        if not self._has_ended:
            return
        received = f"received {self._size - self._left} bytes, expected {self._size}"
        raise RemoteProtocolError(
            "peer closed connection without sending complete message body "
            f"({'incomplete chunked read' if self._is_chunked else received})"
        )
