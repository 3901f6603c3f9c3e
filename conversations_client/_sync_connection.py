"""A sync connection: the bytes of `_http11` sent and read."""

import contextlib
import ssl
from collections.abc import Iterator
from typing import Self

from ._http import httpcore, must_be_httpcores
from ._http11 import HTTP11, MOST_READ
from ._network import DeadlineBackend, extensions, limits


class Connection(httpcore.ConnectionInterface):
    """A connection that is opened by its first request.

    Args:
        origin: Where it leads to.
        ssl_context: How it is encrypted; None for http.
    """

    def __init__(self, origin: httpcore.Origin, ssl_context: ssl.SSLContext | None) -> None:
        self._origin = origin
        self._ssl_context = ssl_context
        self._stream: httpcore.NetworkStream | None = None
        self._http = HTTP11()
        self._idle = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """The head of the answer; raises httpcore's errors."""
        connect, write, read = limits(request)
        stream = self._stream = self._stream or self._connect(connect)
        self._idle = False
        try:
            # What can't be sent to the end may be answered all the same.
            with contextlib.suppress(httpcore.WriteError):
                stream.write(self._http.request(request), write)
            response = None
            while response is None:
                self._http.receive(stream.read(MOST_READ, read))
                response = self._http.head()
        except BaseException:
            self.close()
            raise
        response.stream = Answer(self, stream, self._http, read)
        extensions(response)["network_stream"] = stream
        return response

    def _connect(self, limit: float | None) -> httpcore.NetworkStream:
        host = self._origin.host.decode("ascii")
        stream = DeadlineBackend().connect_tcp(host, self._origin.port, limit)
        if self._ssl_context is None:
            return stream
        return stream.start_tls(self._ssl_context, host, limit)

    def done(self) -> None:
        """Get ready for the next request, or close."""
        self._idle = self._http.renew()
        if not self._idle:
            self.close()

    def close(self) -> None:
        """Close it for good; again does nothing."""
        self._idle = False
        if self._stream is not None:
            self._stream.close()

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        return self._idle

    def has_expired(self) -> bool:
        """Whether it must not be used again: the service hung up, or said what nobody asked."""
        stream = self._stream
        return must_be_httpcores() or stream is None or stream.get_extra_info("is_readable")


class Answer(Iterator[bytes]):
    """The body of an answer, piece by piece."""

    __slots__ = ("_connection", "_http", "_limit", "_stream")

    def __init__(
        self,
        connection: Connection,
        stream: httpcore.NetworkStream,
        http: HTTP11,
        limit: float | None,
    ) -> None:
        self._connection = connection
        self._stream = stream
        self._http = http
        self._limit = limit

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while (piece := self._http.piece()) is None:
            self._http.receive(self._stream.read(MOST_READ, self._limit))
        if piece:
            return piece
        raise StopIteration

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.done()
