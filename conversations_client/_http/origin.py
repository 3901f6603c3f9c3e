"""Where and how a client connects: the service, the proxy and the TLS settings."""

import os
import ssl
import sys
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._http.connections.route import Proxy, Route
from conversations_client.errors import ConfigurationError

from .proxies import environment_variables, proxy_for


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
        context = self.ssl_context or _default_tls()
        context.set_alpn_protocols(["http/1.1"])
        return context


def environment_proxy(url: str) -> Proxy | None:
    """The proxy that this machine's settings specify for a URL; raises ConfigurationError."""
    variables = environment_variables(os.environ)
    if variables or not _HAS_SYSTEM_PROXY_SETTINGS:
        return proxy_for(url, variables)
    # macOS and Windows have system settings, which apply if no variable is set.
    lazy_import("urllib.request")
    from urllib.request import getproxies, proxy_bypass

    is_excluded = proxy_bypass(urlsplit(url).hostname or "")
    return None if is_excluded else proxy_for(url, getproxies())


_HAS_SYSTEM_PROXY_SETTINGS: Final = sys.platform in {"darwin", "win32"}


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    # The same order as in httpx.
    source = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
    folders = os.environ.get("SSL_CERT_DIR")
    if (
        source == "SSL_CERT_DIR"
        and folders
        and not any(map(os.path.isdir, folders.split(os.pathsep)))
    ):
        # OpenSSL ignores a missing folder, and then trusts no certificate.
        raise _unreadable(source, "no such folder")
    try:
        return _new_context(folders)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        is_key_log = error.filename and error.filename == os.environ.get("SSLKEYLOGFILE")
    raise _unreadable("SSLKEYLOGFILE" if is_key_log else source, problem)


def _new_context(folders: str | None) -> ssl.SSLContext:
    file = os.environ.get("SSL_CERT_FILE")
    if file:
        return ssl.create_default_context(cafile=file)
    if folders:
        return ssl.create_default_context(capath=folders)
    lazy_import("certifi")
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _unreadable(variable: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"The file or folder in {variable} can't be used ({problem}): correct the variable, or "
        "unset it."
    )
