"""What the sync and the async connection have in common, and so do their responses. No I/O."""

import re
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from conversations_client._http.streams.clock import monotonic
from conversations_client._http.streams.errors import ConnectError
from conversations_client._http.streams.interfaces import AsyncNetworkStream, NetworkStream
from conversations_client._http.streams.limits import DeadlineLimit
from conversations_client._http.streams.tls_errors import rejects_certificate

from .common_responses import CommonParser
from .parser_protocol import ResponseParser
from .route import Route
from .wire import WireResponse

ConnectionT = TypeVar("ConnectionT")
StreamT = TypeVar("StreamT", NetworkStream, AsyncNetworkStream)

MOST_READ: Final = 2**16
"""The most bytes to read from the network at once."""

KEEPALIVE_SECONDS: Final = 4.0
"""Clearly shorter than the 5 seconds after which Node and others close an idle connection.

A request that is sent while the service closes may have been processed, or not.
"""

_MARGIN: Final = 1.0
_PARAMETERS: Final = re.compile(rb"\b(timeout|max)\s*=\s*\"?([0-9]{1,9})")


def keepalive_seconds(headers: Iterable[tuple[bytes, bytes]]) -> float:
    """The seconds that a connection may be idle after a response with these headers.

    `Keep-Alive: timeout=…` can shorten the client's own limit: the service announces when it
    closes, and the request needs time to arrive. `max=0` announces that no other request is served.
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
    """A connection that is opened by its first request.

    Args:
        route: Where it leads.
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
        """Whether it must not be used again: idle for too long, closed, or with unexpected data."""
        stream = self._stream
        return stream is None or monotonic() >= self._expires or stream.is_readable()

    def _received(self, data: bytes) -> WireResponse | None:
        self._has_received = True
        self._parser.receive(data)
        response = self._parser.head()
        if response is not None:
            self._keepalive = keepalive_seconds(response.headers)
        return response

    def _renew(self) -> bool:
        # Whether it is idle from now on; if not, it has to be closed.
        self._idle = self._keepalive > 0 and self._parser.renew()
        self._expires = monotonic() + self._keepalive
        return self._idle

    def _rejection(self, error: BaseException) -> ConnectError | None:
        """What an error of the first request is if the service wants another certificate."""
        if self._has_received or not rejects_certificate(error):
            return None
        return ConnectError(str(error))


class ResponseState(Generic[ConnectionT, StreamT]):
    """The body of a response, chunk by chunk.

    Args:
        connection: The connection to release when nobody reads on.
        stream: What to read.
        parser: What parses it.
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

    def shorten(self, seconds: float) -> None:
        """Set a deadline so many seconds from now."""
        self._limit.shorten(seconds)

    def _take_connection(self) -> ConnectionT | None:
        # Once, whoever closes first: after that the connection may belong to another request.
        try:
            return self._connections.pop()
        except IndexError:
            return None
