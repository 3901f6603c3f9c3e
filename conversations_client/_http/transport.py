"""Connections to the one origin of a client: opened on first use, shared by its copies."""

import os
import ssl
from typing import Final, cast
from weakref import WeakKeyDictionary

import anyio.lowlevel

from conversations_client._calls.settings import Settings
from conversations_client._http.connections.clock import monotonic
from conversations_client._http.connections.connection import KEEPALIVE_SECONDS
from conversations_client._http.connections.limits import CUT_OFF

from .async_pool import AsyncConnectionPool
from .injected import InjectedAsyncConnections, InjectedConnections
from .library import AsyncHTTPClient, HTTPClient, httpcore, httpx
from .origin import Origin, environment_proxy
from .patched_send import is_send_patched, send, send_async
from .pool import closed_error
from .sync_pool import ConnectionPool


class _OwnTransport(httpx.HTTPTransport):
    """httpx's transport over a pool of this package, so that tools that patch it still work."""

    def __init__(self, origin: Origin) -> None:
        pool = ConnectionPool(
            origin.connect(),
            size=origin.max_connections,
            keepalive=KEEPALIVE_SECONDS,
            clock=monotonic,
        )
        self._pool = cast("httpcore.ConnectionPool", pool)


class _OwnAsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, origin: Origin) -> None:
        pool = AsyncConnectionPool(
            origin.connect_async(),
            size=origin.max_connections,
            keepalive=KEEPALIVE_SECONDS,
            clock=monotonic,
        )
        self._pool = cast("httpcore.AsyncConnectionPool", pool)


def connections(
    settings: Settings, ssl_context: ssl.SSLContext | None, injected: HTTPClient | None
) -> "Connections | InjectedConnections":
    """What a sync client sends through; raises ConfigurationError."""
    if injected is not None:
        return InjectedConnections(injected)
    return Connections(_origin(settings, ssl_context))


def async_connections(
    settings: Settings, ssl_context: ssl.SSLContext | None, injected: AsyncHTTPClient | None
) -> "AsyncConnections | InjectedAsyncConnections":
    """What an async client sends through; raises ConfigurationError."""
    if injected is not None:
        return InjectedAsyncConnections(injected)
    return AsyncConnections(_origin(settings, ssl_context))


def _origin(settings: Settings, ssl_context: ssl.SSLContext | None) -> Origin:
    return Origin(
        base_url=settings.base_url,
        max_connections=settings.max_connections,
        ssl_context=ssl_context,
        proxy=environment_proxy(settings.base_url),
    )


class Connections:
    """What a sync client sends through if no HTTP client was injected."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._by_pid: dict[int, httpx.HTTPTransport] = {}
        self._closed = False
        self.proxy: str | None = origin.proxy_url

    def send(self, request: httpx.Request) -> httpx.Response:
        """The response, its body still unread; raises ClientClosedError."""
        if self._closed:
            raise closed_error()
        transport = self._by_pid.get(os.getpid()) or self._open()
        if is_send_patched():
            return send(transport, request)
        return transport.handle_request(request)

    def close(self) -> None:
        """Close every connection for good."""
        self._closed = True
        transport = self._by_pid.get(os.getpid())
        if transport is not None:
            transport.close()

    def _open(self) -> httpx.HTTPTransport:
        # A forked child must neither use nor close its parent's connections. There is no lock: a
        # thread that the child doesn't have could hold it.
        for pid in list(self._by_pid):
            if pid != os.getpid():
                _abandoned.append(self._by_pid.pop(pid, None))
        transport = self._by_pid.setdefault(os.getpid(), _OwnTransport(self._origin))
        if self._closed:
            # By another thread, which may not have seen this transport.
            transport.close()
            raise closed_error()
        return transport


class AsyncConnections:
    """What an async client sends through if no HTTP client was injected."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pid = os.getpid()
        # Connections belong to the event loop that opened them.
        self._by_loop: WeakKeyDictionary[object, httpx.AsyncHTTPTransport] = WeakKeyDictionary()
        self._closed = False
        self.proxy: str | None = origin.proxy_url

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The response, its body still unread; raises ClientClosedError."""
        transport = self._transport()
        if is_send_patched():
            return await send_async(transport, request)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection of this event loop, and open no more."""
        self._closed = True
        transport = self._by_loop.get(_event_loop())
        if transport is not None and self._pid == os.getpid():
            await transport.aclose()

    def _transport(self) -> httpx.AsyncHTTPTransport:
        if self._closed:
            raise closed_error()
        if self._pid != os.getpid():
            # A forked child must neither use nor close its parent's connections.
            _abandoned.extend(self._by_loop.values())
            self._by_loop, self._pid = WeakKeyDictionary(), os.getpid()
        loop = _event_loop()
        transport = self._by_loop.get(loop)
        if transport is None:
            self._forget_closed_loops()
            transport = self._by_loop[loop] = _OwnAsyncTransport(self._origin)
        return transport

    def _forget_closed_loops(self) -> None:
        # Their connections refer to the loops, which would keep both alive forever.
        for loop in list(self._by_loop):
            if getattr(loop, "is_closed", bool)():
                self._by_loop.pop(loop, None)


def _event_loop() -> object:
    token: object = anyio.lowlevel.current_token()
    # The token itself is a new object every time.
    return getattr(token, "native_token", token)


def cut_off(request: httpx.Request) -> httpx.TimeoutException | None:
    """The timeout of a request that was cancelled before it was sent; None if it may be sent."""
    return cast("httpx.TimeoutException | None", request.extensions.get(CUT_OFF))


# Never collected: a collected socket warns, and its TLS would end the parent's connection.
_abandoned: Final[list[object]] = []
