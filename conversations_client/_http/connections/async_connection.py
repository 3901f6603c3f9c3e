"""An async HTTP/1.1 connection."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial

import anyio

from conversations_client._base.event_loop import is_asyncio
from conversations_client._base.lazy_imports import lazy_import
from conversations_client._http.streams.errors import ReadTimeout, WriteError, WriteTimeout
from conversations_client._http.streams.interfaces import AsyncNetworkStream, Limit
from conversations_client._http.streams.limits import countdown
from conversations_client._http.streams.racing import connect_to_host
from conversations_client._http.streams.tls_stream import AsyncTLSStream

from .connection_base import EARLY_SECONDS, MAX_READ, ConnectionState, ResponseState
from .opening import Encryption, Opening, Step, opening_errors
from .request_head import request_bytes
from .route import Route
from .wire import WireRequest, WireResponse


class AsyncConnection(ConnectionState[AsyncNetworkStream]):
    """An async connection, opened by its first request."""

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request and read the head of the response; raises ConnectionFailure.

        After an exception, the connection must be closed.
        """
        limits = request.limits
        stream = self._stream = self._stream or await open_stream(self._route, limits.connect())
        self._idle = False
        try:
            self._parser.start(request.method)
            response = None
            # A service may respond without reading the whole request.
            try:
                await stream.write(request_bytes(request, self._route), limits.idle)
            except WriteError:
                pass
            except WriteTimeout:
                response = await self._early_response(stream)
                if response is None:
                    raise
            while response is None:
                response = self._received(await stream.read(MAX_READ, limits.idle))
        except Exception as error:
            rejection = self._rejection(error)
            if rejection is None:
                raise
            raise rejection from error
        response.body = AsyncResponseStream(self, stream, self._parser, limits.idle)
        return response

    async def _early_response(self, stream: AsyncNetworkStream) -> WireResponse | None:
        """The head of a response to a request that was not fully sent; None if there is none."""
        response = None
        if stream.is_readable():
            with contextlib.suppress(ReadTimeout):
                response = self._received(await stream.read(MAX_READ, EARLY_SECONDS))
        self._keepalive = 0.0  # the service would take the next request for the rest of this one
        return response

    async def done(self) -> None:
        """Prepare for the next request, or close."""
        if not self._renew():
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; idempotent."""
        self._idle = False
        if self._stream is not None:
            await self._stream.aclose()


class AsyncResponseStream(ResponseState[AsyncConnection, AsyncNetworkStream], AsyncIterator[bytes]):
    """The body of a response, chunk by chunk."""

    __slots__ = ()

    async def __anext__(self) -> bytes:
        while (chunk := self._parser.chunk()) is None:
            self._parser.receive(await self._read())
        if chunk:
            return chunk
        raise StopAsyncIteration

    async def _read(self) -> bytes:
        limit = self._limit
        started = limit.clock()
        try:
            data = await self.stream.read(MAX_READ, limit)
        except BaseException:
            # If the read was cancelled, the next one has only the rest of its time.
            limit.spent += limit.clock() - started
            raise
        limit.spent = 0.0
        return data

    async def aclose(self) -> None:
        """Release the connection; idempotent."""
        connection = self._take_connection()
        if connection is not None:
            await connection.done()


async def open_stream(route: Route, limit: Limit) -> AsyncNetworkStream:
    """Open a connection; raises ConnectTimeout, ConnectError and ProxyError.

    Args:
        route: The route to the service.
        limit: Seconds for the name lookup, TCP, the proxy and TLS together; None for no limit.
    """
    left = countdown(limit)
    opening = Opening(route)
    with opening_errors(route):
        stream = await _connect_tcp(*route.first_hop, left)
        try:
            while (step := opening.next()) is not None:
                stream = await _take(stream, step, opening, left)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
            raise
    return stream


async def _take(
    stream: AsyncNetworkStream, step: Step, opening: Opening, limit: Limit
) -> AsyncNetworkStream:
    if isinstance(step, Encryption):
        return await AsyncTLSStream.open(stream, step.context, step.hostname, limit)
    await stream.write(step, limit)
    opening.receive(await stream.read(MAX_READ, limit))
    return stream


async def _connect_tcp(host: str, port: int, limit: Limit) -> AsyncNetworkStream:
    if is_asyncio():
        lazy_import("conversations_client._http.streams.asyncio_stream")
        from conversations_client._http.streams.asyncio_stream import connect

        return await connect_to_host(host, port, limit, partial(connect, port=port))
    lazy_import("conversations_client._http.streams.anyio_stream")
    from conversations_client._http.streams import anyio_stream

    return await connect_to_host(host, port, limit, partial(anyio_stream.connect, port=port))
