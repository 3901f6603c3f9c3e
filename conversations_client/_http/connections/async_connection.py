"""An async connection: opened along a route, and what HTTP/1.1 sends and reads over it."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Self, cast

import anyio

from conversations_client._base.event_loop import is_asyncio
from conversations_client._http.library import httpcore, httpx

from .connection import ConnectionState, ResponseState
from .http11 import MOST_READ
from .limits import CUT_OFF, countdown, extensions, limits, seconds_left
from .opening import Encryption, Opening, Step, opening_errors
from .racing import connect_to_host
from .route import Route
from .tls_stream import AsyncTLSStream


class AsyncConnection(
    ConnectionState[httpcore.AsyncNetworkStream], httpcore.AsyncConnectionInterface
):
    """An async connection, opened by its first request."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send the request and read the head of the response; raises httpcore's errors."""
        connect, write, read = limits(request)
        stream = self._stream = self._stream or await self._open(request, connect)
        self._idle = False
        try:
            # A service may respond without reading the whole request.
            with contextlib.suppress(httpcore.WriteError):
                await stream.write(self._http.request(request), write)
            response = None
            while response is None:
                response = self._received(await stream.read(MOST_READ, read))
        except BaseException as error:
            await self.aclose()
            rejection = self._rejection(error)
            if rejection is None:
                raise
            raise rejection from error
        response.stream = AsyncResponseStream(self, stream, self._http, read)
        extensions(response)["network_stream"] = stream
        return response

    async def _open(
        self, request: httpcore.Request, limit: float | None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await open_stream(self._route, limit)
        except BaseException:
            extensions(request)[CUT_OFF] = httpx.ConnectTimeout("")
            raise

    async def done(self) -> None:
        """Get ready for the next request, or close."""
        if not self._renew():
            await self.aclose()

    async def aclose(self) -> None:
        """Close it for good; again does nothing."""
        self._idle = False
        if self._stream is not None:
            await self._stream.aclose()


class AsyncResponseStream(
    ResponseState[AsyncConnection, httpcore.AsyncNetworkStream], AsyncIterator[bytes]
):
    """The body of a response, chunk by chunk."""

    __slots__ = ()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while (chunk := self._http.chunk()) is None:
            self._http.receive(await self._stream.read(MOST_READ, self._limit))
        if chunk:
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Release the connection; again does nothing."""
        connection = self._take_connection()
        if connection is not None:
            await connection.done()


class AsyncRouteBackend(httpcore.AsyncNetworkBackend):
    """Opens connections along a route for httpcore's own, which encrypt them themselves."""

    def __init__(self, route: Route) -> None:
        self._route = route

    async def connect_tcp(
        self,
        *_: object,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore declares it
        **__: object,
    ) -> httpcore.AsyncNetworkStream:
        return await open_stream(self._route, timeout, encrypts=False)


async def open_stream(
    route: Route, limit: float | None, *, encrypts: bool = True
) -> httpcore.AsyncNetworkStream:
    """An open connection, ready for a request; raises ConnectTimeout, ConnectError and ProxyError.

    Args:
        route: Where it leads.
        limit: Seconds for the name lookup, TCP, the proxy and TLS together; None for no limit.
        encrypts: Whether to encrypt it up to the service, where the route does.
    """
    left = countdown(limit)
    opening = Opening(route, encrypts=encrypts)
    with opening_errors(route):
        stream = await _connect_tcp(*route.first_hop, seconds_left(left, httpcore.ConnectTimeout))
        try:
            while (step := opening.next()) is not None:
                stream = await _take(stream, step, opening, left)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
            raise
    return stream


async def _take(
    stream: httpcore.AsyncNetworkStream, step: Step, opening: Opening, limit: float | None
) -> httpcore.AsyncNetworkStream:
    if isinstance(step, Encryption):
        return await AsyncTLSStream.open(stream, step.context, step.hostname, limit)
    await stream.write(step, seconds_left(limit, httpcore.ConnectTimeout))
    opening.receive(await stream.read(MOST_READ, seconds_left(limit, httpcore.ConnectTimeout)))
    return stream


async def _connect_tcp(host: str, port: int, limit: float | None) -> httpcore.AsyncNetworkStream:
    if not is_asyncio():
        backend = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        return await connect_to_host(host, port, limit, partial(backend.connect_tcp, port=port))
    from .asyncio_stream import connect

    return await connect_to_host(host, port, limit, partial(connect, port=port))
