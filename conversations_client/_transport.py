"""Connections to the one origin of a client: opened on first use, shared by its copies."""

import contextlib
import os
import ssl
import threading
from collections.abc import AsyncGenerator
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
import httpcore
import httpx
from attrs import frozen

from ._network import DeadlineBackend
from .errors import ClientClosedError, ConfigurationError

KEEPALIVE_SECONDS: Final = 5.0  # shorter than the idle limit of common servers and balancers


@frozen(kw_only=True)
class Origin:
    """Where the connections lead to and how."""

    base_url: str
    max_connections: int
    ssl_context: ssl.SSLContext | None

    def pool_options(self) -> dict[str, Any]:
        """What httpcore's pools of both colours are made with."""
        return {
            "ssl_context": self.tls(),
            "max_connections": self.max_connections,
            "max_keepalive_connections": self.max_connections,
            "keepalive_expiry": KEEPALIVE_SECONDS,
        }

    def proxy_options(self) -> dict[str, Any] | None:
        """What httpx's transports of both colours are made with; None if no proxy is set."""
        proxy = _proxy_for(self.base_url)
        if proxy is None:
            return None
        limits = httpx.Limits(
            max_connections=self.max_connections,
            max_keepalive_connections=self.max_connections,
            keepalive_expiry=KEEPALIVE_SECONDS,
        )
        return {"proxy": proxy, "verify": self.tls() or False, "limits": limits}

    def tls(self) -> ssl.SSLContext | None:
        """Loading certificates takes longer than all the rest of a client: not for http://."""
        if not self.base_url.startswith("https:"):
            return None
        return self.ssl_context or _default_tls()


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _proxy_for(url: str) -> str | None:
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


TransportT = TypeVar("TransportT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


def _through_proxy(cls: type[TransportT], options: dict[str, Any]) -> TransportT:
    try:
        return cls(**options)
    except ImportError:
        problem = "needs another package: pip install 'httpx[socks]'"
    except (ValueError, TypeError, httpx.InvalidURL):
        problem = "is not a URL such as http://host:port"
    raise ConfigurationError(f"The proxy that the environment sets {problem}.")


class _OwnTransport(httpx.HTTPTransport):
    """httpx's transport over a pool of ours, so that what instruments or mocks it still does."""

    def __init__(self, origin: Origin) -> None:
        self._pool = httpcore.ConnectionPool(
            network_backend=DeadlineBackend(), **origin.pool_options()
        )


class _OwnAsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, origin: Origin) -> None:
        self._pool = httpcore.AsyncConnectionPool(**origin.pool_options())


class Connections:
    """What a sync client sends through, when nobody injected an httpx client."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._lock = threading.Lock()
        self._transport: httpx.HTTPTransport | None = None
        self._pid = 0
        self._closed = False

    def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer, its body still to come; raises ClientClosedError."""
        if self._closed:
            raise closed_error()
        transport = self._transport
        if transport is None or self._pid != os.getpid():
            transport = self._open()
        return transport.handle_request(request)

    def close(self) -> None:
        """Close every connection, for good."""
        self._closed = True
        if self._transport is not None and self._pid == os.getpid():
            self._transport.close()

    def _open(self) -> httpx.HTTPTransport:
        with self._lock:
            if self._transport is None or self._pid != os.getpid():
                # A forked child must neither use nor close what its parent goes on using.
                _abandon(self._transport)
                proxied = self._origin.proxy_options()
                self._transport = (
                    _through_proxy(httpx.HTTPTransport, proxied)
                    if proxied
                    else _OwnTransport(self._origin)
                )
                self._pid = os.getpid()
            return self._transport


class AsyncConnections:
    """What an async client sends through, when nobody injected an httpx client."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pid = os.getpid()
        self._by_loop: WeakKeyDictionary[object, _Loop] = WeakKeyDictionary()
        self._closed = False

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncGenerator[None, None]:
        """The right to use one connection: httpx's pool gets slow where many tasks wait in it."""
        async with self._loop().slots:
            yield

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer, its body still to come; raises ClientClosedError."""
        return await self._loop().transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection of this event loop, and open no more."""
        self._closed = True
        loop = self._by_loop.pop(_event_loop(), None)
        if loop is not None and self._pid == os.getpid():
            await loop.transport.aclose()

    def _loop(self) -> "_Loop":
        if self._closed:
            raise closed_error()
        if self._pid != os.getpid():
            _abandon(self._by_loop)
            self._by_loop, self._pid = WeakKeyDictionary(), os.getpid()
        # Connections belong to the event loop that opened them.
        token = _event_loop()
        loop = self._by_loop.get(token)
        if loop is None:
            loop = self._by_loop[token] = self._open()
        return loop

    def _open(self) -> "_Loop":
        proxied = self._origin.proxy_options()
        transport = (
            _through_proxy(httpx.AsyncHTTPTransport, proxied)
            if proxied
            else _OwnAsyncTransport(self._origin)
        )
        return _Loop(transport, anyio.Semaphore(self._origin.max_connections))


def _event_loop() -> object:
    token: object = anyio.lowlevel.current_token()
    # The token itself is a new object every time.
    return getattr(token, "native_token", token)


@frozen(eq=False)
class _Loop:
    transport: httpx.AsyncHTTPTransport
    slots: anyio.Semaphore


class InjectedConnections:
    """What a sync client sends through when the caller brought an httpx client."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._closed = False

    def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer, its body still to come; raises ClientClosedError."""
        if self._closed or self._client.is_closed:
            raise closed_error()
        return self._client.send(
            _as_built_by(self._client, request), stream=True, auth=None, follow_redirects=False
        )

    def close(self) -> None:
        """Stop using the caller's client, and leave it open."""
        self._closed = True


class InjectedAsyncConnections:
    """What an async client sends through when the caller brought an httpx client."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._closed = False

    def slot(self) -> contextlib.AbstractAsyncContextManager[None]:
        """At once: how many connections there are is the caller's business."""
        return contextlib.nullcontext()

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer, its body still to come; raises ClientClosedError."""
        if self._closed or self._client.is_closed:
            raise closed_error()
        return await self._client.send(
            _as_built_by(self._client, request), stream=True, auth=None, follow_redirects=False
        )

    async def aclose(self) -> None:
        """Stop using the caller's client, and leave it open."""
        self._closed = True


def _as_built_by(client: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> httpx.Request:
    """The request with the headers, cookies and parameters that the caller's client adds."""
    return client.build_request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.read() or None,
        extensions=request.extensions,
    )


def closed_error() -> ClientClosedError:
    """The error for a call after close."""
    return ClientClosedError("The client is closed: make the call inside its with block.")


_abandoned: Final[list[object]] = []


def _abandon(connections: object) -> None:
    # Kept, for a collected socket would warn, and its TLS would say goodbye to the parent's peer.
    if connections is not None:
        _abandoned.append(connections)
