"""What is sent and read to open a connection: tunnels through proxies, and encryption. No I/O.

The sync and the async connection take the same steps: bytes are sent and the response is read,
an `Encryption` starts TLS.
"""

import contextlib
import ssl
from collections.abc import Generator
from ipaddress import IPv4Address
from typing import Final, TypeAlias

import h11
from attrs import frozen

from conversations_client._base.hosts import ip_address
from conversations_client._http.streams.errors import (
    ConnectError,
    ConnectTimeout,
    NetworkError,
    ProxyError,
    ReadTimeout,
    WriteTimeout,
)
from conversations_client._http.streams.tls_errors import is_tls

from .route import Proxy, Route, host_and_port

_LARGEST_HEAD: Final = 64 * 2**10
_SOCKS: Final = 5
_NO_AUTHENTICATION: Final = 0
_USER_AND_PASSWORD: Final = 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_SOCKS_FAILURES: Final = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}

_CLOSED: Final = "it closed the connection"
_EARLY_DATA: Final = "it sent data before the service could"
_NOT_SOCKS: Final = "its response is not SOCKS 5"
_LOGIN_REQUIRED: Final = "it requires a user and password in its URL, or another way to log in"


@frozen
class Encryption:
    """Start TLS with the peer that the connection has reached."""

    context: ssl.SSLContext
    hostname: str


Step: TypeAlias = bytes | Encryption
_Steps: TypeAlias = Generator[Step, bytes, None]
_Exchange: TypeAlias = Generator[bytes, bytes, None]


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
            handshake = _socks_handshake if route.proxy.is_socks else _http_handshake
            yield from handshake(route, route.proxy)
    if route.tls is not None:
        yield Encryption(route.tls, server_name(route.host))


def server_name(host: str) -> str:
    """The name that a certificate must be for: without the dot of a fully qualified name."""
    return host.removesuffix(".")


def _http_handshake(route: Route, proxy: Proxy) -> _Exchange:
    target = host_and_port(route.host, route.port).encode("ascii")
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
    headers = [(b"Host", target), (b"Accept", b"*/*"), *proxy.authorization()]
    to_send = http.send(h11.Request(method=b"CONNECT", target=target, headers=headers)) or b""
    to_send += http.send(h11.EndOfMessage()) or b""
    response = None
    while not isinstance(response, h11.Response):
        received = yield to_send
        if not received:
            raise ProxyError(_CLOSED)
        http.receive_data(received)
        to_send, response = b"", _response(http)
    if not 200 <= response.status_code < 300:  # noqa: PLR2004 - the range of successes
        raise ProxyError(f"{response.status_code} {response.reason.decode('latin-1')}")
    if http.trailing_data[0]:
        raise ProxyError(_EARLY_DATA)


def _response(http: h11.Connection) -> object:
    try:
        while isinstance(event := http.next_event(), h11.InformationalResponse):
            pass
    except h11.RemoteProtocolError:
        raise ProxyError("its response is not HTTP") from None
    return event


def _socks_handshake(route: Route, proxy: Proxy) -> _Exchange:
    # RFC 1928, and RFC 1929 for the password.
    reader = _Reader()
    methods = [_NO_AUTHENTICATION] + [_USER_AND_PASSWORD] * (proxy.credentials is not None)
    version, method = yield from reader.ask(bytes([_SOCKS, len(methods), *methods]), 2)
    if version != _SOCKS:
        raise ProxyError(_NOT_SOCKS)
    if method not in methods:
        raise ProxyError(_LOGIN_REQUIRED)
    if method == _USER_AND_PASSWORD and proxy.credentials is not None:
        login = b"\x01" + b"".join(bytes([len(each)]) + each for each in proxy.credentials)
        _, status = yield from reader.ask(login, 2)
        if status:
            raise ProxyError("it rejected the user and password")
    connect = bytes([_SOCKS, 1, 0]) + _address(route.host) + route.port.to_bytes(2, "big")
    version, failure, _, kind = yield from reader.ask(connect, 4)
    if version != _SOCKS:
        raise ProxyError(_NOT_SOCKS)
    if failure:
        raise ProxyError(_SOCKS_FAILURES.get(failure, f"failure {failure}"))
    size = {_IPV4: 4, _IPV6: 16}.get(kind)
    if size is None:
        (size,) = yield from reader.ask(b"", 1)
    yield from reader.ask(b"", size + 2)
    if reader.rest:
        raise ProxyError(_EARLY_DATA)


def _address(host: str) -> bytes:
    address = ip_address(host)
    if address is not None:
        return bytes([_IPV4 if isinstance(address, IPv4Address) else _IPV6]) + address.packed
    name = host.encode("ascii")
    return bytes([_NAME, len(name)]) + name


class _Reader:
    """Reads so many bytes, in however many pieces they come."""

    def __init__(self) -> None:
        self.rest = b""

    def ask(self, request: bytes, size: int) -> Generator[bytes, bytes, bytes]:
        """Send the request, if there is one, and give the first bytes of the response."""
        while request or len(self.rest) < size:
            received = yield request
            if not received:
                raise ProxyError(_CLOSED)
            request, self.rest = b"", self.rest + received
        found, self.rest = self.rest[:size], self.rest[size:]
        return found
