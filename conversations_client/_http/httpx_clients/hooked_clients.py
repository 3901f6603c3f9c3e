"""Sends through the HTTP library over the client's own connections, for tools that hook into it."""

import contextlib
import ssl
import sys
from typing import Any

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._http.async_pool import AsyncConnectionPool
from conversations_client._http.connections.connection_base import KEEPALIVE_SECONDS
from conversations_client._http.connections.route import Proxy
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.origin import Origin
from conversations_client._http.sync_pool import ConnectionPool
from conversations_client.errors import ConfigurationError

from .hook_detection import is_hooked_below
from .injected_clients import InjectedAsyncConnections, InjectedConnections
from .library import httpx
from .pool_transport import AsyncPoolTransport, PoolTransport


def send(pool: ConnectionPool, origin: Origin, request: WireRequest) -> WireResponse:
    """Send a request; returns the head of the response.

    Raises:
        SendFailed: The exchange failed.
        ClientClosedError: The client is closed.
        ConfigurationError: The library can't use the proxy.
    """
    below = is_hooked_below()
    by_depth: dict[bool, InjectedConnections] = pool.hooked
    if below not in by_depth:
        # A tool that replaces or records the library's connections needs the library to open them.
        transport = httpx.HTTPTransport(**_settings(origin)) if below else PoolTransport(pool)
        client = httpx.Client(transport=transport, trust_env=False)
        by_depth[below] = InjectedConnections(client, origin.base_url)
    return by_depth[below].send(request)


async def send_async(
    pool: AsyncConnectionPool, origin: Origin, request: WireRequest
) -> WireResponse:
    """Send a request; returns the head of the response. Raises the same errors as `send`."""
    below = is_hooked_below()
    by_depth: dict[bool, InjectedAsyncConnections] = pool.hooked
    if below not in by_depth:
        transport = (
            httpx.AsyncHTTPTransport(**_settings(origin)) if below else AsyncPoolTransport(pool)
        )
        client = httpx.AsyncClient(transport=transport, trust_env=False)
        by_depth[below] = InjectedAsyncConnections(client, origin.base_url)
    return await by_depth[below].send(request)


def _settings(origin: Origin) -> dict[str, Any]:
    """The client's settings as arguments for the library's transports."""
    route = origin.route()
    proxy = None if route.proxy is None else _library_proxy(route.proxy, route.proxy_tls)
    return {
        "verify": route.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "proxy": proxy,
        "limits": httpx.Limits(
            max_connections=origin.max_connections, keepalive_expiry=KEEPALIVE_SECONDS
        ),
        "trust_env": False,
    }


def _library_proxy(proxy: Proxy, tls: ssl.SSLContext | None) -> httpx.Proxy:
    if proxy.is_socks:
        with contextlib.suppress(ImportError):
            lazy_import("socksio")
        if sys.modules.get("socksio") is None:
            raise ConfigurationError(
                f"A tool hooks into httpcore, which supports the SOCKS proxy in {proxy.source} "
                "only with socksio: install httpx[socks], or exclude the host with NO_PROXY."
            )
    auth = None
    if proxy.credentials is not None:
        user, password = (each.decode(errors="replace") for each in proxy.credentials)
        auth = (user, password)
    return httpx.Proxy(proxy.url, auth=auth, ssl_context=tls)
