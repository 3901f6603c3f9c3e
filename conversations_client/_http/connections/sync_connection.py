"""A sync HTTP/1.1 connection."""

import contextlib
import math
import socket
from collections.abc import Iterator

from conversations_client._http.streams.addresses import addresses
from conversations_client._http.streams.errors import (
    ConnectError,
    ConnectTimeout,
    ReadTimeout,
    WriteError,
    WriteTimeout,
)
from conversations_client._http.streams.interfaces import Limit, NetworkStream
from conversations_client._http.streams.limits import countdown, seconds_left
from conversations_client._http.streams.readiness import MAX_WAIT_SECONDS
from conversations_client._http.streams.sync_stream import SocketStream
from conversations_client._http.streams.tls_stream import TLSStream

from .connection_base import EARLY_SECONDS, MAX_READ, ConnectionState, ResponseState
from .opening import Encryption, Opening, opening_errors
from .request_head import request_bytes
from .route import Route
from .wire import WireRequest, WireResponse


class Connection(ConnectionState[NetworkStream]):
    """A sync connection, opened by its first request."""

    def send(self, request: WireRequest) -> WireResponse:
        """Send a request and read the head of the response; raises ConnectionFailure.

        After an exception, the connection must be closed.
        """
        limits = request.limits
        stream = self._stream = self._stream or open_stream(self._route, limits.connect())
        self._idle = False
        try:
            self._parser.start(request.method)
            response = None
            # A service may respond without reading the whole request.
            try:
                stream.write(request_bytes(request, self._route), limits.idle)
            except WriteError:
                pass
            except WriteTimeout:
                response = self._early_response(stream)
                if response is None:
                    raise
            while response is None:
                response = self._received(stream.read(MAX_READ, limits.idle))
        except Exception as error:
            rejection = self._rejection(error)
            if rejection is None:
                raise
            raise rejection from error
        response.body = ResponseStream(self, stream, self._parser, limits.idle)
        return response

    def _early_response(self, stream: NetworkStream) -> WireResponse | None:
        """The head of a response to a request that was not fully sent; None if there is none."""
        response = None
        if stream.is_readable():
            with contextlib.suppress(ReadTimeout):
                response = self._received(stream.read(MAX_READ, EARLY_SECONDS))
        self._keepalive = 0.0  # the service would take the next request for the rest of this one
        return response

    def done(self) -> None:
        """Prepare for the next request, or close."""
        if not self._renew():
            self.close()

    def close(self) -> None:
        """Close the connection; idempotent."""
        self._idle = False
        if self._stream is not None:
            self._stream.close()


class ResponseStream(ResponseState[Connection, NetworkStream], Iterator[bytes]):
    """The body of a response, chunk by chunk."""

    __slots__ = ()

    def __next__(self) -> bytes:
        while (chunk := self._parser.chunk()) is None:
            self._parser.receive(self.stream.read(MAX_READ, self._limit))
        if chunk:
            return chunk
        raise StopIteration

    def close(self) -> None:
        """Release the connection; idempotent."""
        connection = self._take_connection()
        if connection is not None:
            connection.done()


def open_stream(route: Route, limit: Limit) -> NetworkStream:
    """Open a connection; raises ConnectTimeout, ConnectError and ProxyError.

    Args:
        route: The route to the service.
        limit: Seconds for the name lookup, TCP, the proxy and TLS together; None for no limit.
    """
    left = countdown(limit)
    stream: NetworkStream | None = None
    try:
        with opening_errors(route):
            stream = _connect_tcp(*route.first_hop, left)
            opening = Opening(route)
            while (step := opening.next()) is not None:
                if isinstance(step, Encryption):
                    stream = _encrypted(stream, step, left)
                else:
                    stream.write(step, left)
                    opening.receive(stream.read(MAX_READ, left))
        return stream  # noqa: TRY300 - if an interrupt occurs here, the stream must be closed
    except BaseException:
        if stream is not None:
            stream.close()
        raise


def _encrypted(stream: NetworkStream, step: Encryption, limit: Limit) -> NetworkStream:
    if isinstance(stream, SocketStream) and not stream.is_encrypted:
        return stream.start_tls(step.context, step.hostname, limit)
    return TLSStream.open(stream, step.context, step.hostname, limit)


def _connect_tcp(host: str, port: int, limit: Limit) -> SocketStream:
    failure: Exception = ConnectTimeout()
    for address, seconds in _shares(addresses(host, port, limit), limit):
        try:
            return _connect_address(address, port, seconds)
        except TimeoutError as error:
            failure = ConnectTimeout(str(error))
        except OSError as error:
            failure = ConnectError(str(error))
    raise failure


def _connect_address(address: str, port: int, seconds: float | None) -> SocketStream:
    connection = None
    try:
        connection = socket.create_connection((address, port), seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketStream(connection)
    except BaseException:
        if connection is not None:
            connection.close()
        raise


def _shares(candidates: list[str], limit: Limit) -> Iterator[tuple[str, float | None]]:
    """Each address with its equal share of the seconds that are left."""
    for number, address in enumerate(candidates):
        seconds = seconds_left(limit, ConnectTimeout)
        share = math.inf if seconds is None else seconds / (len(candidates) - number)
        yield address, None if share == math.inf else min(share, MAX_WAIT_SECONDS)
