"""What is sent and read to open a connection: tunnels through proxies, and encryption. No I/O.

The sync and the async connection take the same steps: bytes are sent and the response is read,
an `Encryption` starts TLS.
"""

import contextlib
import ssl
from collections.abc import Generator
from typing import TypeAlias

from attrs import frozen

from conversations_client._http.streams.errors import (
    ConnectError,
    ConnectTimeout,
    NetworkError,
    ProxyError,
    ReadTimeout,
    WriteTimeout,
)
from conversations_client._http.streams.tls_errors import is_tls

from .route import Route


@frozen
class Encryption:
    """Start TLS with the peer that the connection has reached."""

    context: ssl.SSLContext
    hostname: str


Step: TypeAlias = bytes | Encryption
_Steps: TypeAlias = Generator[Step, bytes, None]


class Opening:
    """The steps from a TCP connection to one that the request can be sent over.

    Args:
        route: Where it leads.
    """

    def __init__(self, route: Route) -> None:
        self._steps = _steps(route)
        self._received: bytes | None = None

    def next(self) -> Step | None:
        """The next step; None if the connection is open. Raises ProxyError."""
        try:
            # A generator's first step takes nothing.
            step = next(self._steps) if self._received is None else self._steps.send(self._received)
        except StopIteration:
            return None
        self._received = b""
        return step

    def receive(self, data: bytes) -> None:
        """Take the response to the bytes of the last step; empty if the peer hung up."""
        self._received = data


@contextlib.contextmanager
def opening_errors(route: Route) -> Generator[None, None, None]:
    """Raise what ends an attempt to connect as ConnectTimeout, ConnectError or ProxyError."""
    try:
        yield
    except (ReadTimeout, WriteTimeout) as error:
        raise ConnectTimeout(str(error)) from error
    except NetworkError as error:
        # The proxy is all that is connected, whatever was to be reached through it.
        kind = ConnectError if route.proxy is None or is_tls(error) else ProxyError
        raise kind(str(error)) from error


def _steps(route: Route) -> _Steps:
    if route.proxy is not None:
        if route.proxy_tls is not None:
            yield Encryption(route.proxy_tls, server_name(route.proxy.host))
        if route.forwarder is None:
            from .proxy_handshakes import http_handshake, socks_handshake

            handshake = socks_handshake if route.proxy.is_socks else http_handshake
            yield from handshake(route, route.proxy)
    if route.tls is not None:
        yield Encryption(route.tls, server_name(route.host))


def server_name(host: str) -> str:
    """The name that a certificate must be for: without the dot of a fully qualified name."""
    return host.removesuffix(".")
