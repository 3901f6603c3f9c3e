"""HTTP library transports over the client's own pools, for tools that hook into it."""

from typing import TYPE_CHECKING, Any, cast

from conversations_client._http.async_pool import AsyncConnectionPool
from conversations_client._http.connections.request_head import header_lines
from conversations_client._http.connections.wire import RequestLimits, WireRequest, WireResponse
from conversations_client._http.sync_pool import ConnectionPool

from .bodies import RESUMABLE
from .injected_clients import LIMITS
from .library import httpcore, httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class PoolTransport(httpx.HTTPTransport):
    """A sync transport over a client's pool; a subclass, so that patches to httpx's class apply."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = cast("httpcore.ConnectionPool", _Pool(pool))


class AsyncPoolTransport(httpx.AsyncHTTPTransport):
    """An async transport over a client's pool."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = cast("httpcore.AsyncConnectionPool", _AsyncPool(pool))


class _Pool:
    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        stream = cast("Iterator[bytes]", request.stream)
        response = self._pool.send(_wire_request(request, b"".join(stream)))
        return _httpcore_response(response)

    def close(self) -> None:
        """Leave the pool open; the client closes it."""


class _AsyncPool:
    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        stream = cast("AsyncIterator[bytes]", request.stream)
        body = b"".join([chunk async for chunk in stream])
        return _httpcore_response(await self._pool.send(_wire_request(request, body)))

    async def aclose(self) -> None:
        """Leave the pool open; the client closes it."""


def _wire_request(request: httpcore.Request, body: bytes) -> WireRequest:
    extensions = cast("dict[str, Any]", request.extensions)  # pyright: ignore[reportUnknownMemberType]
    limits: RequestLimits = extensions[LIMITS]
    lines = header_lines(request.headers)
    return WireRequest(request.method, request.url.target, lines, body, limits)


def _httpcore_response(response: WireResponse) -> httpcore.Response:
    return httpcore.Response(
        response.status,
        headers=response.headers,
        content=response.body,
        extensions={
            "http_version": b"HTTP/" + response.version,
            "reason_phrase": response.reason,
            "network_stream": response.body.stream,
            RESUMABLE: True,
        },
    )
