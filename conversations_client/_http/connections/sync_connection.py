"""A sync connection: opened along a route, and what HTTP/1.1 sends and reads over it."""

import contextlib
import math
import socket
from collections.abc import Iterator
from typing import Self

from conversations_client._http.library import httpcore

from .addresses import addresses
from .connection import ConnectionState, ResponseState
from .http11 import MOST_READ
from .limits import countdown, extensions, limits, seconds_left
from .opening import Encryption, Opening, opening_errors
from .route import Route
from .sync_stream import SocketStream


class Connection(ConnectionState[httpcore.NetworkStream], httpcore.ConnectionInterface):
    """A sync connection, opened by its first request."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send the request and read the head of the response; raises httpcore's errors."""
        connect, write, read = limits(request)
        stream = self._stream = self._stream or open_stream(self._route, connect)
        self._idle = False
        try:
            # A service may respond without reading the whole request.
            with contextlib.suppress(httpcore.WriteError):
                stream.write(self._http.request(request), write)
            response = None
            while response is None:
                response = self._received(stream.read(MOST_READ, read))
        except BaseException as error:
            self.close()
            rejection = self._rejection(error)
            if rejection is None:
                raise
            raise rejection from error
        response.stream = ResponseStream(self, stream, self._http, read)
        extensions(response)["network_stream"] = stream
        return response

    def done(self) -> None:
        """Get ready for the next request, or close."""
        if not self._renew():
            self.close()

    def close(self) -> None:
        """Close it for good; again does nothing."""
        self._idle = False
        if self._stream is not None:
            self._stream.close()


class ResponseStream(ResponseState[Connection, httpcore.NetworkStream], Iterator[bytes]):
    """The body of a response, chunk by chunk."""

    __slots__ = ()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while (chunk := self._http.chunk()) is None:
            self._http.receive(self._stream.read(MOST_READ, self._limit))
        if chunk:
            return chunk
        raise StopIteration

    def close(self) -> None:
        """Release the connection; again does nothing."""
        connection = self._take_connection()
        if connection is not None:
            connection.done()


class RouteBackend(httpcore.NetworkBackend):
    """Opens connections along a route for httpcore's own, which encrypt them themselves."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def connect_tcp(
        self,
        *_: object,
        timeout: float | None = None,
        **__: object,
    ) -> httpcore.NetworkStream:
        return open_stream(self._route, timeout, encrypts=False)


def open_stream(
    route: Route, limit: float | None, *, encrypts: bool = True
) -> httpcore.NetworkStream:
    """An open connection, ready for a request; raises ConnectTimeout, ConnectError and ProxyError.

    Args:
        route: Where it leads.
        limit: Seconds for the name lookup, TCP, the proxy and TLS together; None for no limit.
        encrypts: Whether to encrypt it up to the service, where the route does.
    """
    left = countdown(limit)
    stream: httpcore.NetworkStream | None = None
    try:
        with opening_errors(route):
            stream = _connect_tcp(*route.first_hop, left)
            opening = Opening(route, encrypts=encrypts)
            while (step := opening.next()) is not None:
                if isinstance(step, Encryption):
                    stream = stream.start_tls(step.context, step.hostname, left)
                else:
                    stream.write(step, left)
                    opening.receive(stream.read(MOST_READ, left))
        return stream  # noqa: TRY300 - an interrupt here closes it too
    except BaseException:
        if stream is not None:
            stream.close()
        raise


def _connect_tcp(host: str, port: int, limit: float | None) -> SocketStream:
    failure: Exception = httpcore.ConnectTimeout()
    for address, seconds in _shares(addresses(host, port, limit), limit):
        try:
            return _connect_address(address, port, seconds)
        except TimeoutError as error:
            failure = httpcore.ConnectTimeout(str(error))
        except OSError as error:
            failure = httpcore.ConnectError(str(error))
    raise failure


def _connect_address(address: str, port: int, limit: float | None) -> SocketStream:
    connection = None
    try:
        connection = socket.create_connection((address, port), limit)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketStream(connection)
    except BaseException:
        if connection is not None:
            connection.close()
        raise


def _shares(found: list[str], limit: float | None) -> Iterator[tuple[str, float | None]]:
    """Addresses, each with the seconds that it may take of those that are left for all."""
    for number, address in enumerate(found):
        seconds = seconds_left(limit, httpcore.ConnectTimeout)
        share = math.inf if seconds is None else seconds / (len(found) - number)
        yield address, None if share == math.inf else share
