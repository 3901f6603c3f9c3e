"""Where and how a client connects: the service, the proxy and the TLS settings."""

import ssl
from urllib.parse import urlsplit

from attrs import frozen

from conversations_client._http.connections.route import Proxy, Route

from .network.tls import default_tls


@frozen(kw_only=True)
class Origin:
    """Where and how a client connects.

    Attributes:
        base_url: The URL of the service.
        max_connections: The maximum number of connections that are open at once.
        ssl_context: The TLS settings; None for the default ones.
        proxy: The proxy, or None.
    """

    base_url: str
    max_connections: int
    ssl_context: ssl.SSLContext | None
    proxy: Proxy | None = None

    def route(self) -> Route:
        """The route of every connection; raises ConfigurationError."""
        url, proxy = urlsplit(self.base_url), self.proxy
        is_encrypted = url.scheme == "https"
        return Route(
            host=url.hostname or "",
            port=url.port or (443 if is_encrypted else 80),
            tls=self._tls() if is_encrypted else None,
            proxy=proxy,
            proxy_tls=self._tls() if proxy is not None and proxy.scheme == "https" else None,
        )

    def _tls(self) -> ssl.SSLContext:
        context = self.ssl_context or default_tls()
        context.set_alpn_protocols(["http/1.1"])
        return context
