"""The proxy and the TLS settings of a new client, from the environment."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.unset import UNSET, Unset
from conversations_client._http.connections.route import Proxy

from .proxies import environment_variables, proxy_for

if TYPE_CHECKING:
    import ssl

Network: TypeAlias = "tuple[Proxy | Unset | None, ssl.SSLContext | None]"
"""The proxy and the TLS settings.

The proxy is UNSET if the system's settings apply; the TLS settings are None for the default ones.
"""

_HAS_SYSTEM_PROXY_SETTINGS: Final = sys.platform in {"darwin", "win32"}


def environment_network(
    url: str, ssl_context: "ssl.SSLContext | None", environ: Mapping[str, str]
) -> Network:
    """The proxy and the TLS settings of a new client.

    Args:
        url: The URL of the service.
        ssl_context: The TLS settings that the caller passed, which take precedence, or None.
        environ: The environment variables.

    Raises:
        ConfigurationError: A variable that the client would use is invalid.
    """
    variables = environment_variables(environ)
    proxy = proxy_for(url, variables) if variables else UNSET
    trust = [environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")]
    is_encrypted = urlsplit(url).scheme == "https" or bool(proxy and proxy.scheme == "https")
    if ssl_context is None and is_encrypted and any(trust):
        lazy_import("conversations_client._http.network.tls")
        from .tls import shared_tls

        ssl_context = shared_tls(*trust)
    return proxy, ssl_context


def system_proxy(url: str) -> Proxy | None:
    """The proxy for a URL in the settings of macOS or Windows; raises ConfigurationError."""
    if not _HAS_SYSTEM_PROXY_SETTINGS:
        return None
    lazy_import("urllib.request")
    from urllib.request import getproxies, proxy_bypass

    is_excluded = proxy_bypass(urlsplit(url).hostname or "")
    return None if is_excluded else proxy_for(url, getproxies())
