"""The steps to open a connection: a tunnel through a proxy, and TLS. No I/O.

Sync and async connections perform the same steps. Each step is either bytes to send, followed by a
response to read, or an `Encryption`, which starts TLS.
"""

import contextlib
import ssl
from collections.abc import Generator
from typing import TypeAlias

from attrs import frozen

from conversations_client._base.lazy_imports import lazy_import
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
    """Start TLS with the current peer: the proxy or the service."""

    context: ssl.SSLContext
    hostname: str


Step: TypeAlias = bytes | Encryption
_Steps: TypeAlias = Generator[Step, bytes, None]


class Opening:
    """The steps after the TCP connection is open and before the first request.

    Args:
        route: The route to the service.
    """

    def __init__(self, route: Route) -> None:
        self._steps = _steps(route)
        self._received: bytes | None = None

    def next(self) -> Step | None:
        """The next step; None after the last one. Raises ProxyError."""
        try:
            # send() can't start a generator.
            step = next(self._steps) if self._received is None else self._steps.send(self._received)
        except StopIteration:
            return None
        self._received = b""
        return step

    def receive(self, data: bytes) -> None:
        """Process the response to the last step; empty if the peer closed the connection."""
        self._received = data


@contextlib.contextmanager
def opening_errors(route: Route) -> Generator[None, None, None]:
    """Convert errors from opening a connection to ConnectTimeout, ConnectError or ProxyError."""
    try:
        yield
    except (ReadTimeout, WriteTimeout) as error:
        raise ConnectTimeout(str(error)) from error
    except NetworkError as error:
        # With a proxy, these errors concern the connection to the proxy.
        kind = ConnectError if route.proxy is None or is_tls(error) else ProxyError
        raise kind(str(error)) from error


def _steps(route: Route) -> _Steps:
    if route.proxy is not None:
        if route.proxy_tls is not None:
            yield Encryption(route.proxy_tls, server_name(route.proxy.host))
        if route.forwarder is None:
            lazy_import("conversations_client._http.connections.proxy_handshakes")
            from .proxy_handshakes import http_handshake, socks_handshake

            handshake = socks_handshake if route.proxy.is_socks else http_handshake
            yield from handshake(route, route.proxy)
    if route.tls is not None:
        yield Encryption(route.tls, server_name(route.host))


def server_name(host: str) -> str:
    """The host name for the certificate check, without a trailing dot."""
    return host.removesuffix(".")
