"""A sync connection: the bytes of `_http11` sent and read."""

import contextlib
from collections.abc import Iterator
from typing import Self

from conversations_client._http.library import httpcore

from .connection import ConnectionState, ResponseState
from .deadline_sockets import DeadlineBackend, extensions, limits
from .http11 import MOST_READ


class Connection(ConnectionState[httpcore.NetworkStream], httpcore.ConnectionInterface):
    """A sync connection, opened by its first request."""

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
        response.stream = ResponseStream(self, stream, self._http, read)
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


class ResponseStream(ResponseState[Connection, httpcore.NetworkStream], Iterator[bytes]):
    """The body of an answer, piece by piece."""

    __slots__ = ()

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
