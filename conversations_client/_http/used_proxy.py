"""Names the proxy of a request in error messages. No I/O."""

from typing import Final, Self

from attrs import frozen

from .connections.route import Proxy, host_and_port

_CLIENTS: Final = "of your http_client"


@frozen(kw_only=True)
class UsedProxy:
    """The proxy of a request, for error messages.

    Attributes:
        name: The proxy.
        setting: What to check if the proxy may be wrong.
        advice: What to check if the proxy failed.
        is_certain: Whether the request used it.
    """

    name: str
    setting: str
    advice: str
    is_certain: bool = True

    @classmethod
    def from_environment(cls, proxy: Proxy) -> Self:
        """A proxy from the environment or the system's settings."""
        return cls(
            name=f"the proxy {proxy.url}",
            setting=proxy.source,
            advice=f"{proxy.source} and NO_PROXY",
        )

    @classmethod
    def of_injected_client(cls, address: tuple[str, int] | None, *, is_certain: bool) -> Self:
        """The proxy of an injected client; its address is None if it is unknown."""
        name = f"{host_and_port(*address)} {_CLIENTS}" if address else _CLIENTS
        return cls(
            name=f"the proxy {name}",
            setting="that proxy" if is_certain else f"the proxy {_CLIENTS} (if it has one)",
            advice="the client's proxy setting, and HTTPS_PROXY and ALL_PROXY if it reads them",
            is_certain=is_certain,
        )

    @property
    def route(self) -> str:
        """The route, after the URL of the service; empty if the request may not have used it."""
        return f" through {self.name}" if self.is_certain else ""


POSSIBLE: Final = UsedProxy.of_injected_client(None, is_certain=False)
"""The proxy of an injected client that may have none."""
