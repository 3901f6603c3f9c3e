"""The network probes of `conversations doctor`."""

import socket
import ssl
from typing import Final

import httpx

from conversations_client import Client

_SECONDS: Final = 5.0


def proxy_for(url: str) -> str | None:
    """The proxy that a client uses for a URL, or None; raises ConfigurationError."""
    # With an SSL context, the client doesn't check the variables for certificates.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with Client("any", base_url=url, allow_plain_http=True, ssl_context=tls) as client:
        return client.proxy


def no_proxy(_url: str) -> None:
    """Ignore the proxies in the environment."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in results})


def connect(host: str, port: int) -> None:
    """Open a connection and close it."""
    with socket.create_connection((host, port), timeout=_SECONDS):
        pass


def certificate_end(host: str, port: int) -> float:
    """The expiry time of a host's certificate, in Unix seconds; raises OSError if untrusted."""
    context = httpx.create_ssl_context()
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))
