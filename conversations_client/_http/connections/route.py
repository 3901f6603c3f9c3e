"""The route from this machine to the service, direct or through a proxy. No I/O."""

from base64 import b64encode
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    import ssl

SOCKS: frozenset[str] = frozenset({"socks5", "socks5h"})


@frozen(kw_only=True)
class Proxy:
    """A proxy.

    Attributes:
        scheme: `http`, `https`, `socks5` or `socks5h`. With both SOCKS schemes, the proxy resolves
            host names.
        host: The host, without brackets.
        port: The port.
        credentials: The user and the password, or None.
        source: The setting that the proxy comes from, for error messages.
    """

    scheme: str
    host: str
    port: int
    credentials: tuple[bytes, bytes] | None = field(default=None, repr=False)
    source: str = field(default="", eq=False)

    @property
    def url(self) -> str:
        """The URL, without credentials."""
        return f"{self.scheme}://{host_and_port(self.host, self.port)}"

    @property
    def is_socks(self) -> bool:
        """Whether this is a SOCKS proxy instead of an HTTP proxy."""
        return self.scheme in SOCKS

    def authorization(self) -> list[tuple[bytes, bytes]]:
        """The header with the credentials; empty without credentials."""
        if self.credentials is None:
            return []
        return [(b"Proxy-Authorization", b"Basic " + b64encode(b":".join(self.credentials)))]


@frozen(kw_only=True)
class Route:
    """The route to the service.

    Attributes:
        host: The host of the service, without brackets.
        port: The port of the service.
        tls: The TLS settings for the service; None for http.
        proxy: The proxy, or None.
        proxy_tls: The TLS settings for an https proxy, or None.
    """

    host: str
    port: int
    tls: "ssl.SSLContext | None" = None
    proxy: Proxy | None = None
    proxy_tls: "ssl.SSLContext | None" = None

    @property
    def first_hop(self) -> tuple[str, int]:
        """The host and the port of the TCP connection."""
        return (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def authority(self) -> str:
        """The host and the port of the service as in a URL, without the default port."""
        default = 80 if self.tls is None else 443
        authority = host_and_port(self.host, self.port)
        return authority.removesuffix(f":{self.port}") if self.port == default else authority

    @property
    def forwarder(self) -> Proxy | None:
        """The HTTP proxy that forwards plain http requests instead of opening a tunnel, or None."""
        return self.proxy if self.tls is None and self.proxy and not self.proxy.is_socks else None


def host_and_port(host: str, port: int) -> str:
    """A host and a port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
