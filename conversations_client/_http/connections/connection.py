"""What the sync and the async connection have in common, and so do their responses. No I/O."""

import re
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from conversations_client._http.library import httpcore, must_be_httpcores

from .clock import monotonic
from .http11 import HTTP11
from .route import Route
from .tls_errors import rejects_certificate

ConnectionT = TypeVar("ConnectionT")
StreamT = TypeVar("StreamT", httpcore.NetworkStream, httpcore.AsyncNetworkStream)

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
        self._http = HTTP11(route)
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
        return (
            must_be_httpcores()
            or stream is None
            or monotonic() >= self._expires
            or stream.get_extra_info("is_readable")
        )

    def _received(self, data: bytes) -> httpcore.Response | None:
        self._has_received = True
        self._http.receive(data)
        response = self._http.head()
        if response is not None:
            self._keepalive = keepalive_seconds(response.headers)
        return response

    def _renew(self) -> bool:
        # Whether it is idle from now on; if not, it has to be closed.
        self._idle = self._keepalive > 0 and self._http.renew()
        self._expires = monotonic() + self._keepalive
        return self._idle

    def _rejection(self, error: BaseException) -> httpcore.ConnectError | None:
        """What an error of the first request is if the service wants another certificate."""
        if self._has_received or not rejects_certificate(error):
            return None
        return httpcore.ConnectError(str(error))


class ResponseState(Generic[ConnectionT, StreamT]):
    """The body of a response, chunk by chunk.

    Args:
        connection: The connection to release when nobody reads on.
        stream: What to read.
        http: What parses it.
        limit: Seconds for one read; None for no limit.
    """

    __slots__ = ("_connections", "_http", "_limit", "_stream")

    def __init__(
        self, connection: ConnectionT, stream: StreamT, http: HTTP11, limit: float | None
    ) -> None:
        self._connections = [connection]
        self._stream: StreamT = stream
        self._http = http
        self._limit = limit

    def _take_connection(self) -> ConnectionT | None:
        # Once, whoever closes first: after that the connection may belong to another request.
        try:
            return self._connections.pop()
        except IndexError:
            return None
