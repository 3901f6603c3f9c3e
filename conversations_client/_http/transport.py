"""The connections of a client, which its copies share."""

import os
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from conversations_client._base.event_loop import is_asyncio
from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.unset import UNSET
from conversations_client._base.wakeup import Wakeups
from conversations_client._calls.settings import Settings
from conversations_client._http.connections.connection_base import KEEPALIVE_SECONDS
from conversations_client._http.streams.clock import monotonic

from .client_protocols import AsyncHTTPClient, HTTPClient
from .connections.wire import WireRequest, WireResponse
from .httpx_clients.hook_detection import is_hooked
from .network.variables import Network, system_proxy
from .origin import Origin
from .slot_queue import closed_error

if TYPE_CHECKING:
    from .async_pool import AsyncConnectionPool
    from .connections.route import Proxy
    from .httpx_clients.injected_clients import InjectedAsyncConnections, InjectedConnections
    from .sync_pool import ConnectionPool


def connections(
    settings: Settings, network: Network, injected: HTTPClient | None
) -> "Connections | InjectedConnections":
    """The connections of a sync client; raises ConfigurationError."""
    if injected is not None:
        lazy_import("conversations_client._http.httpx_clients.injected_clients")
        from .httpx_clients.injected_clients import InjectedConnections

        return InjectedConnections(injected, settings.base_url)
    return Connections(_origin(settings, network))


def async_connections(
    settings: Settings, network: Network, injected: AsyncHTTPClient | None
) -> "AsyncConnections | InjectedAsyncConnections":
    """The connections of an async client; raises ConfigurationError."""
    if injected is not None:
        lazy_import("conversations_client._http.httpx_clients.injected_clients")
        from .httpx_clients.injected_clients import InjectedAsyncConnections

        return InjectedAsyncConnections(injected, settings.base_url)
    return AsyncConnections(_origin(settings, network))


def _origin(settings: Settings, network: Network) -> Origin:
    proxy, ssl_context = network
    return Origin(
        base_url=settings.base_url,
        max_connections=settings.max_connections,
        ssl_context=ssl_context,
        proxy=system_proxy(settings.base_url) if proxy is UNSET else proxy,
    )


class Connections:
    """The connections of a sync client without an injected HTTP client."""

    is_injected: Final = False

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._by_pid: dict[int, ConnectionPool] = {}
        self.closing: Wakeups = Wakeups()
        self.proxy: Proxy | None = origin.proxy

    def send(self, request: WireRequest) -> WireResponse:
        """Send a request and return the head of the response.

        Raises:
            ConnectionFailure: The exchange failed.
            ClientClosedError: The client is closed.
        """
        if self.closing.is_set:
            raise closed_error()
        pool = self._by_pid.get(os.getpid()) or self._open()
        if is_hooked():
            lazy_import("conversations_client._http.httpx_clients.hooked_clients")
            from .httpx_clients.hooked_clients import send

            return send(pool, self._origin, request)
        return pool.send(request)

    def close(self) -> None:
        """Close every connection, and open no new ones."""
        self.closing.set()
        pool = self._by_pid.get(os.getpid())
        if pool is not None:
            pool.close()
            # A copy, because a call in another thread may add one.
            for hooked in tuple(pool.hooked.values()):
                hooked.close_client()

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # Neither an exiting interpreter nor a forked child has to close the connections.
        if self.closing.is_set or _is_finalizing():
            return
        pool = self._by_pid.get(os.getpid())
        if pool is not None and pool.has_idle:
            _warn_unclosed(
                "Client: use it in a with block or call close(); closing a copy isn't enough"
            )

    def _open(self) -> "ConnectionPool":
        from .connections.sync_connection import Connection
        from .sync_pool import ConnectionPool

        # A forked child must neither use nor close its parent's connections. No lock is used here:
        # in a forked child, it might belong to a thread that no longer exists.
        for pid in list(self._by_pid):
            if pid != os.getpid():
                _abandoned.append(self._by_pid.pop(pid, None))
        route = self._origin.route()
        new = ConnectionPool(
            lambda: Connection(route),
            size=self._origin.max_connections,
            keepalive=KEEPALIVE_SECONDS,
            clock=monotonic,
        )
        pool = self._by_pid.setdefault(os.getpid(), new)
        if self.closing.is_set:
            # The thread that closed the connections may not have seen this pool.
            pool.close()
            raise closed_error()
        return pool


class AsyncConnections:
    """The connections of an async client without an injected HTTP client."""

    is_injected: Final = False

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pid = os.getpid()
        # Connections belong to the event loop that opened them.
        self._by_loop: WeakKeyDictionary[object, AsyncConnectionPool] = WeakKeyDictionary()
        self.closing: Wakeups = Wakeups()
        self.proxy: Proxy | None = origin.proxy

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request and return the head of the response.

        Raises:
            ConnectionFailure: The exchange failed.
            ClientClosedError: The client is closed.
        """
        pool = self._pool()
        if is_hooked():
            lazy_import("conversations_client._http.httpx_clients.hooked_clients")
            from .httpx_clients.hooked_clients import send_async

            return await send_async(pool, self._origin, request)
        return await pool.send(request)

    async def aclose(self) -> None:
        """Close every connection of this event loop, and open no new ones."""
        self.closing.set()
        pool = self._by_loop.get(_event_loop())
        if pool is not None and self._pid == os.getpid():
            await pool.aclose()
            for hooked in tuple(pool.hooked.values()):
                await hooked.close_client()

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if self.closing.is_set or _is_finalizing() or self._pid != os.getpid():
            return
        if any(pool.has_idle for pool in self._by_loop.values()):
            _warn_unclosed(
                "AsyncClient: use it in an async with block or call aclose(); closing a copy isn't "
                "enough"
            )

    def _pool(self) -> "AsyncConnectionPool":
        if self.closing.is_set:
            raise closed_error()
        if self._pid != os.getpid():
            # A forked child must neither use nor close its parent's connections.
            _abandoned.extend(self._by_loop.values())
            self._by_loop, self._pid = WeakKeyDictionary(), os.getpid()
        loop = _event_loop()
        pool = self._by_loop.get(loop)
        if pool is None:
            self._forget_closed_loops()
            pool = self._by_loop[loop] = self._new_pool()
        return pool

    def _new_pool(self) -> "AsyncConnectionPool":
        lazy_import(
            "conversations_client._http.connections.async_connection",
            "conversations_client._http.async_pool",
            "conversations_client._http.loop_end",
        )
        from .async_pool import AsyncConnectionPool
        from .connections.async_connection import AsyncConnection
        from .loop_end import LoopEnd

        route = self._origin.route()
        pool = AsyncConnectionPool(
            lambda: AsyncConnection(route),
            size=self._origin.max_connections,
            keepalive=KEEPALIVE_SECONDS,
            clock=monotonic,
        )
        pool.loop_end = LoopEnd(pool)
        return pool

    def _forget_closed_loops(self) -> None:
        # The connections refer to their loop, so the weak keys would never disappear on their own.
        # A copy of the references, because another thread may add its own loop.
        for reference in self._by_loop.keyrefs():
            loop = reference()
            if getattr(loop, "is_closed", bool)():
                self._by_loop.pop(loop, None)


def _warn_unclosed(client: str) -> None:
    warnings.warn(f"unclosed {client}", ResourceWarning, stacklevel=3)


def _event_loop() -> object:
    if is_asyncio():
        import asyncio

        return asyncio.get_running_loop()  # faster than AnyIO's token
    import anyio.lowlevel

    token: object = anyio.lowlevel.current_token()
    # The token itself is a new object on every call.
    return getattr(token, "native_token", token)


# Kept forever: garbage collection would warn, and TLS would close the parent's connection.
_abandoned: Final[list[object]] = []
