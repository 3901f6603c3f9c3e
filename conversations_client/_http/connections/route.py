"""The way from this machine to the service: directly, or through a proxy. No I/O."""

import ssl
from base64 import b64encode

from attrs import field, frozen

SOCKS: frozenset[str] = frozenset({"socks5", "socks5h"})


@frozen(kw_only=True)
class Proxy:
    """A proxy.

    Attributes:
        scheme: `http`, `https`, `socks5` or `socks5h`; SOCKS proxies look names up.
        host: Its host, without brackets.
        port: Its port.
        credentials: The user and the password, or None.
    """

    scheme: str
    host: str
    port: int
    credentials: tuple[bytes, bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its URL, without credentials."""
        return f"{self.scheme}://{host_and_port(self.host, self.port)}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS; HTTP otherwise."""
        return self.scheme in SOCKS

    def authorization(self) -> list[tuple[bytes, bytes]]:
        """The header that carries the credentials, if there are any."""
        if self.credentials is None:
            return []
        return [(b"Proxy-Authorization", b"Basic " + b64encode(b":".join(self.credentials)))]


@frozen(kw_only=True)
class Route:
    """Where connections lead, and through what.

    Attributes:
        host: The service's host, without brackets.
        port: The service's port.
        tls: The encryption up to the service; None for http.
        proxy: What connections go through, or None.
        proxy_tls: The encryption up to an https proxy, or None.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None
    proxy_tls: ssl.SSLContext | None = None

    @property
    def first_hop(self) -> tuple[str, int]:
        """The host and the port to open a TCP connection to."""
        return (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def authority(self) -> str:
        """The service's host and port as a URL has them, without the default port."""
        default = 80 if self.tls is None else 443
        named = host_and_port(self.host, self.port)
        return named.removesuffix(f":{self.port}") if self.port == default else named

    @property
    def forwarder(self) -> Proxy | None:
        """The HTTP proxy that requests are addressed to, as no tunnel leads through it."""
        return self.proxy if self.tls is None and self.proxy and not self.proxy.is_socks else None


def host_and_port(host: str, port: int) -> str:
    """A host and a port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
