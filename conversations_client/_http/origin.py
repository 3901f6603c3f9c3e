"""Where the connections of a client lead to, and how."""

import ssl
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from attrs import frozen

from conversations_client._http.connections.async_connection import AsyncConnection
from conversations_client._http.connections.deadline_sockets import DeadlineBackend
from conversations_client._http.connections.sync_connection import Connection
from conversations_client.errors import ConfigurationError

from .library import httpcore, httpx, must_be_httpcores

KEEPALIVE_SECONDS: Final = 5.0  # shorter than the idle limit of common servers and balancers


@frozen(kw_only=True)
class Origin:
    """Where the connections lead to and how."""

    base_url: str
    max_connections: int
    ssl_context: ssl.SSLContext | None

    def connect(self) -> Callable[[], Connection | httpcore.HTTPConnection]:
        """Makes sync connections."""
        origin, tls = self._httpcore_origin(), self.tls()
        httpcores = partial(
            httpcore.HTTPConnection, origin, ssl_context=tls, network_backend=DeadlineBackend()
        )
        own = partial(Connection, origin, tls)
        return lambda: httpcores() if must_be_httpcores() else own()

    def connect_async(self) -> Callable[[], AsyncConnection | httpcore.AsyncHTTPConnection]:
        """Makes async connections."""
        origin, tls = self._httpcore_origin(), self.tls()
        httpcores = partial(httpcore.AsyncHTTPConnection, origin, ssl_context=tls)
        own = partial(AsyncConnection, origin, tls)
        return lambda: httpcores() if must_be_httpcores() else own()

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
        if urlsplit(self.base_url).scheme != "https":
            return None
        context = self.ssl_context or _default_tls()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _httpcore_origin(self) -> httpcore.Origin:
        # As httpx's transport spells it in each request.
        url = httpx.URL(self.base_url)
        return httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"
        ).origin


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise ConfigurationError(
        f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names can't be read ({problem}): "
        "correct the variable, or unset it."
    )


def _proxy_for(url: str) -> str | None:
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
