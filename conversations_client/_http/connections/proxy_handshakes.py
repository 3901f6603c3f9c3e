"""The handshakes that open a tunnel through a proxy. No I/O."""

from collections.abc import Generator
from ipaddress import IPv4Address
from typing import Final, TypeAlias

import h11

from conversations_client._base.hosts import ip_address
from conversations_client._http.streams.errors import ProxyError

from .route import Proxy, Route, host_and_port

_MAX_HEAD_SIZE: Final = 64 * 2**10
_SOCKS_VERSION: Final = 5
_NO_AUTHENTICATION: Final = 0
_USER_AND_PASSWORD: Final = 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_SOCKS_FAILURES: Final = {
    1: "general failure",
    2: "not allowed by the proxy's rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}

_CLOSED: Final = "it closed the connection"
_EARLY_DATA: Final = "it sent data before the service could"
_TOO_LONG: Final = "the head of its response is too long"
_NOT_SOCKS: Final = "its response is not SOCKS 5"
_LOGIN_REQUIRED: Final = (
    "it requires a user and password in its URL, or a different authentication method"
)
_REJECTED: Final = "it rejected the user and password"
_LOGIN_STATUS: Final = 407

_Exchange: TypeAlias = Generator[bytes, bytes, None]


def http_handshake(route: Route, proxy: Proxy) -> _Exchange:
    """Open a tunnel through an HTTP proxy; raises ProxyError."""
    target = host_and_port(route.host, route.port).encode("ascii")
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_SIZE)
    headers = [(b"Host", target), (b"Accept", b"*/*"), *proxy.authorization()]
    to_send = http.send(h11.Request(method=b"CONNECT", target=target, headers=headers)) or b""
    to_send += http.send(h11.EndOfMessage()) or b""
    response, left = None, _MAX_HEAD_SIZE
    while not isinstance(response, h11.Response):
        received = yield to_send
        if not received:
            raise ProxyError(_CLOSED)
        left -= len(received)
        if left < 0:
            raise ProxyError(_TOO_LONG)  # interim responses may never end
        http.receive_data(received)
        to_send, response = b"", _response(http)
    if response.status_code == _LOGIN_STATUS:
        raise ProxyError(_LOGIN_REQUIRED if proxy.credentials is None else _REJECTED)
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


def socks_handshake(route: Route, proxy: Proxy) -> _Exchange:
    """Open a tunnel through a SOCKS 5 proxy; raises ProxyError."""
    # RFC 1928; RFC 1929 for the password.
    reader = _Reader()
    methods = [_NO_AUTHENTICATION] + [_USER_AND_PASSWORD] * (proxy.credentials is not None)
    version, method = yield from reader.ask(bytes([_SOCKS_VERSION, len(methods), *methods]), 2)
    if version != _SOCKS_VERSION:
        raise ProxyError(_NOT_SOCKS)
    if method not in methods:
        raise ProxyError(_LOGIN_REQUIRED)
    if method == _USER_AND_PASSWORD and proxy.credentials is not None:
        login = b"\x01" + b"".join(bytes([len(each)]) + each for each in proxy.credentials)
        _, status = yield from reader.ask(login, 2)
        if status:
            raise ProxyError(_REJECTED)
    connect = bytes([_SOCKS_VERSION, 1, 0]) + _address(route.host) + route.port.to_bytes(2, "big")
    version, failure, _, kind = yield from reader.ask(connect, 4)
    if version != _SOCKS_VERSION:
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
    """Reads a given number of bytes, regardless of how they are split."""

    def __init__(self) -> None:
        self.rest = b""

    def ask(self, request: bytes, size: int) -> Generator[bytes, bytes, bytes]:
        """Send a request, unless it is empty, and return the next `size` bytes of the response."""
        while request or len(self.rest) < size:
            received = yield request
            if not received:
                raise ProxyError(_CLOSED)
            request, self.rest = b"", self.rest + received
        response, self.rest = self.rest[:size], self.rest[size:]
        return response
