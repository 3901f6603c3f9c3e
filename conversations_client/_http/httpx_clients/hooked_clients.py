"""Sends through the HTTP library over the client's own connections, for tools that hook into it."""

from conversations_client._http.async_pool import AsyncConnectionPool
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.sync_pool import ConnectionPool

from .hook_detection import is_hooked_below
from .injected_clients import InjectedAsyncConnections, InjectedConnections
from .library import httpx
from .pool_transport import AsyncPoolTransport, PoolTransport


def send(pool: ConnectionPool, base_url: str, request: WireRequest) -> WireResponse:
    """Send a request; returns the head of the response. Raises SendFailed and ClientClosedError."""
    below = is_hooked_below()
    by_depth: dict[bool, InjectedConnections] = pool.hooked
    if below not in by_depth:
        # If a tool replaces connections, the library's must be used; those are never opened.
        transport = httpx.HTTPTransport(trust_env=False) if below else PoolTransport(pool)
        client = httpx.Client(transport=transport, trust_env=False)
        by_depth[below] = InjectedConnections(client, base_url)
    return by_depth[below].send(request)


async def send_async(
    pool: AsyncConnectionPool, base_url: str, request: WireRequest
) -> WireResponse:
    """Send a request; returns the head of the response. Raises SendFailed and ClientClosedError."""
    below = is_hooked_below()
    by_depth: dict[bool, InjectedAsyncConnections] = pool.hooked
    if below not in by_depth:
        transport = httpx.AsyncHTTPTransport(trust_env=False) if below else AsyncPoolTransport(pool)
        client = httpx.AsyncClient(transport=transport, trust_env=False)
        by_depth[below] = InjectedAsyncConnections(client, base_url)
    return await by_depth[below].send(request)
