"""The network probes of `conversations doctor`."""

import socket
import ssl
from typing import Final

import httpx

from conversations_client import Client

_SECONDS: Final = 5.0


def proxy_for(url: str) -> str | None:
    """The proxy of a client for a URL; None without one. Raises ConfigurationError."""
    with Client("any", base_url=url, allow_plain_http=True) as client:
        return client.proxy


def no_proxy(_url: str) -> None:
    """No proxy, whatever the environment sets."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found})


def connect(host: str, port: int) -> None:
    """Open a connection and close it."""
    with socket.create_connection((host, port), timeout=_SECONDS):
        pass


def certificate_end(host: str, port: int) -> float:
    """When a host's certificate expires, in Unix seconds; it must be trusted as for the client."""
    context = httpx.create_ssl_context()
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))
