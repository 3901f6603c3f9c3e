"""The base classes of sync and async connections and of their response bodies. No I/O."""

import re
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from conversations_client._http.streams.clock import monotonic
from conversations_client._http.streams.errors import ConnectError
from conversations_client._http.streams.interfaces import AsyncNetworkStream, NetworkStream
from conversations_client._http.streams.limits import DeadlineLimit
from conversations_client._http.streams.tls_errors import rejects_certificate

from .common_parser import CommonParser
from .parser_protocol import ResponseParser
from .route import Route
from .wire import WireResponse

ConnectionT = TypeVar("ConnectionT")
StreamT = TypeVar("StreamT", NetworkStream, AsyncNetworkStream)

MAX_READ: Final = 2**16
"""The maximum number of bytes to read from the network at once."""

EARLY_SECONDS: Final = 0.1
"""The maximum time to read a response that arrived before the whole request was sent."""

KEEPALIVE_SECONDS: Final = 4.0
"""The maximum time that a connection may be idle, in seconds.

Node and other servers close idle connections after 5 seconds. If the service closes a connection
while a request is being sent, the service may or may not have processed it.
"""

_MARGIN: Final = 1.0
_PARAMETERS: Final = re.compile(rb"\b(timeout|max)\s*=\s*\"?([0-9]{1,9})")


def keepalive_seconds(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """The seconds that a connection may be idle after a response with these headers.

    `Keep-Alive: timeout=…` announces when the service closes the connection, and can shorten the
    client's own limit; a margin leaves time for a request to arrive. With `max=0`, the service
    accepts no further requests.
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


class ConnectionState(Generic[StreamT]):
    """The state of a connection, which its first request opens.

    Args:
        route: The route to the service.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._stream: StreamT | None = None
        self._parser: ResponseParser = CommonParser()
        self._idle = False
        self._has_received = False
        self._keepalive = 0.0
        self._expires = 0.0

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        return self._idle

    def has_expired(self) -> bool:
        """Whether the connection is unusable: idle too long, closed, or holding unexpected data."""
        stream = self._stream
        return stream is None or monotonic() >= self._expires or stream.is_readable()

    def _received(self, data: bytes) -> WireResponse | None:
        self._has_received = True
        self._parser.receive(data)
        response = self._parser.head()
        if response is not None:
            self._keepalive = (
                keepalive_seconds(response.headers)
                if b"keep-alive" in response.names
                else KEEPALIVE_SECONDS
            )
        return response

    def _renew(self) -> bool:
        # Returns whether the connection is idle now; if not, it must be closed.
        self._idle = self._keepalive > 0 and self._parser.renew()
        self._expires = monotonic() + self._keepalive
        return self._idle

    def _rejection(self, error: BaseException) -> ConnectError | None:
        """The ConnectError for a rejected client certificate; None for any other error."""
        if self._has_received or not rejects_certificate(error):
            return None
        return ConnectError(str(error))


class ResponseState(Generic[ConnectionT, StreamT]):
    """The state of the body of a response.

    Args:
        connection: The connection, which is released at the end of the body.
        stream: The stream to read from.
        parser: The parser of the response.
        limit: How long one read may take.
    """

    __slots__ = ("_connections", "_limit", "_parser", "stream")

    def __init__(
        self,
        connection: ConnectionT,
        stream: StreamT,
        parser: ResponseParser,
        limit: DeadlineLimit,
    ) -> None:
        self._connections = [connection]
        self.stream: StreamT = stream
        self._parser = parser
        self._limit = limit

    @property
    def is_complete(self) -> bool:
        """Whether the whole body was read; False if that isn't known yet."""
        return self._parser.is_complete

    def shorten(self, seconds: float) -> None:
        """Set a deadline this many seconds from now."""
        self._limit.shorten(seconds)

    def _take_connection(self) -> ConnectionT | None:
        # Only the first call returns the connection: after that, it may serve another request.
        try:
            return self._connections.pop()
        except IndexError:
            return None
