"""What a connection and the answer that comes over it know of themselves, in either colour."""

import ssl
from typing import Generic, TypeVar

from conversations_client._http.library import httpcore, must_be_httpcores

from .http11 import HTTP11

ConnectionT = TypeVar("ConnectionT")
StreamT = TypeVar("StreamT", httpcore.NetworkStream, httpcore.AsyncNetworkStream)


class ConnectionState(Generic[StreamT]):
    """A connection that is opened by its first request.

    Args:
        origin: Where it leads to.
        ssl_context: How it is encrypted; None for http.
    """

    def __init__(self, origin: httpcore.Origin, ssl_context: ssl.SSLContext | None) -> None:
        self._origin = origin
        self._ssl_context = ssl_context
        self._stream: StreamT | None = None
        self._http = HTTP11()
        self._idle = False

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        return self._idle

    def has_expired(self) -> bool:
        """Whether it must not be used again: the service hung up, or said what nobody asked."""
        stream = self._stream
        return must_be_httpcores() or stream is None or stream.get_extra_info("is_readable")


class ResponseState(Generic[ConnectionT, StreamT]):
    """The body of an answer, piece by piece.

    Args:
        connection: What it comes over, to be told when nobody reads on.
        stream: What is to be read.
        http: What makes pieces of it.
        limit: Seconds for one read; None for no limit.
    """

    __slots__ = ("_connection", "_http", "_limit", "_stream")

    def __init__(
        self, connection: ConnectionT, stream: StreamT, http: HTTP11, limit: float | None
    ) -> None:
        self._connection = connection
        self._stream: StreamT = stream
        self._http = http
        self._limit = limit
