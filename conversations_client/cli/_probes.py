"""The doctor's looks at the world."""

import socket
import ssl
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

_SECONDS: Final = 5.0


def proxy_for(url: str) -> str | None:
    """The proxy that the environment sets for a URL; None without one."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def no_proxy(_url: str) -> None:
    """No proxy, whatever the environment sets."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found})


def connect(host: str, port: int) -> None:
    """Open a connection, and close it."""
    with socket.create_connection((host, port), timeout=_SECONDS):
        pass


def certificate_end(host: str, port: int) -> float:
    """When the certificate of a host ends, in Unix seconds; trust is decided as the client does."""
    context = httpx.create_ssl_context()
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))
