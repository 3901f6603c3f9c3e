"""Detects proxies that an injected HTTP client would send the API key to unencrypted. No I/O."""

from typing import Any, Final
from urllib.parse import urlsplit

from conversations_client._http.client_protocols import AsyncHTTPClient, HTTPClient
from conversations_client.errors import ConfigurationError

_PROXIES: Final = frozenset({"HTTPProxy", "SOCKSProxy", "AsyncHTTPProxy", "AsyncSOCKSProxy"})
"""The httpcore pools that connect through a proxy."""


def check_plain_http(client: HTTPClient | AsyncHTTPClient, base_url: str) -> None:
    """Raise ConfigurationError if a proxy would receive requests to a plain http loopback URL.

    httpx reads proxies from the environment, and uses them for this machine too.
    """
    if urlsplit(base_url).scheme == "http" and _has_proxy(client, base_url):
        raise ConfigurationError(
            "The http_client would send the API key to a proxy, unencrypted: pass a client without "
            "proxies, such as httpx.Client(trust_env=False), or exclude this machine with NO_PROXY."
        )


def _has_proxy(client: HTTPClient | AsyncHTTPClient, url: str) -> bool:
    # Private, so a later version may not have it.
    choose: Any = getattr(client, "_transport_for_url", None)
    transport = choose and choose(client.build_request("GET", url).url)
    return type(getattr(transport, "_pool", None)).__name__ in _PROXIES
