"""Where the connections of a client lead, and how they are opened."""

import os
import ssl
from collections.abc import Callable
from functools import lru_cache, partial
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from attrs import frozen

from conversations_client._http.connections.async_connection import (
    AsyncConnection,
    AsyncRouteBackend,
)
from conversations_client._http.connections.route import Proxy, Route
from conversations_client._http.connections.sync_connection import Connection, RouteBackend
from conversations_client.errors import ConfigurationError

from .library import httpcore, httpx, must_be_httpcores
from .proxies import proxy_for


@frozen(kw_only=True)
class Origin:
    """Where the connections lead, and how they are opened.

    Attributes:
        base_url: The service's URL.
        max_connections: The most connections that are open at once.
        ssl_context: The certificates to trust; the default ones if None.
        proxy: The proxy to go through, or None.
    """

    base_url: str
    max_connections: int
    ssl_context: ssl.SSLContext | None
    proxy: Proxy | None = None

    @property
    def proxy_url(self) -> str | None:
        """The proxy's URL, without credentials; None without one."""
        return None if self.proxy is None else self.proxy.url

    def connect(self) -> Callable[[], Connection | httpcore.HTTPConnection]:
        """Makes sync connections."""
        route = self.route()
        httpcores = partial(
            httpcore.HTTPConnection,
            self._httpcore_origin(),
            ssl_context=route.tls,
            network_backend=RouteBackend(route),
        )
        return lambda: httpcores() if must_be_httpcores() else Connection(route)

    def connect_async(self) -> Callable[[], AsyncConnection | httpcore.AsyncHTTPConnection]:
        """Makes async connections."""
        route = self.route()
        httpcores = partial(
            httpcore.AsyncHTTPConnection,
            self._httpcore_origin(),
            ssl_context=route.tls,
            network_backend=AsyncRouteBackend(route),
        )
        return lambda: httpcores() if must_be_httpcores() else AsyncConnection(route)

    def route(self) -> Route:
        """The route of every connection; raises ConfigurationError."""
        origin = self._httpcore_origin()
        proxy = self.proxy
        return Route(
            host=origin.host.decode("ascii"),
            port=origin.port,
            tls=self._tls() if origin.scheme == b"https" else None,
            proxy=proxy,
            proxy_tls=self._tls() if proxy is not None and proxy.scheme == "https" else None,
        )

    def _tls(self) -> ssl.SSLContext:
        context = self.ssl_context or _default_tls()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _httpcore_origin(self) -> httpcore.Origin:
        # As httpx's transport spells it in each request.
        url = httpx.URL(self.base_url)
        return httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"
        ).origin


def environment_proxy(url: str) -> Proxy | None:
    """The proxy that this machine's settings have for a URL; raises ConfigurationError."""
    # Windows and macOS have settings of their own, which apply if no variable is set.
    if not getproxies_environment() and proxy_bypass(urlsplit(url).hostname or ""):
        return None
    return proxy_for(url, getproxies())


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    # In the order in which httpx reads them.
    source = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
    folders = os.environ.get("SSL_CERT_DIR")
    if (
        source == "SSL_CERT_DIR"
        and folders
        and not any(map(os.path.isdir, folders.split(os.pathsep)))
    ):
        # OpenSSL ignores a folder that doesn't exist, and then trusts no certificate.
        raise _unreadable(source, "no such folder")
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        problem = error.strerror or type(error).__name__
        is_key_log = error.filename and error.filename == os.environ.get("SSLKEYLOGFILE")
    raise _unreadable("SSLKEYLOGFILE" if is_key_log else source, problem)


def _unreadable(variable: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"The file or folder that {variable} names can't be used ({problem}): correct the "
        "variable, or unset it."
    )
