"""ASGI middleware that checks the Host header.

A web page can point its own host name at 127.0.0.1 (DNS rebinding) and call the sandbox from the
user's browser. Its requests have that name in the Host header, so they can be rejected.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from conversations_client.sandbox._operations.error_responses import error_response

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::[0-9]*)?", re.ASCII)


class AllowedHosts:
    """Accepts loopback names and addresses with any port, and the names that the user allows."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(map(normalized, names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) == 1 and self._is_allowed(hosts[0]):
            await self._app(scope, receive, send)
            return
        rejection = error_response(
            421,
            "The Host header doesn't match this machine. Call the sandbox as localhost or "
            "127.0.0.1, or allow the name with --allow-host, or in Python with allowed_hosts=[…].",
        )
        await rejection(scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = normalized(match[1])
        return name in self._names or is_loopback(name)


def normalized(name: str) -> str:
    """Normalize a host name.

    Args:
        name: The name or address; an IPv6 address may be in brackets.

    Returns:
        The name in lower case, without brackets or a final dot.
    """
    return name.strip("[]").removesuffix(".").lower()


def is_host(name: str) -> bool:
    """Recognize names and addresses that a Host header can have.

    Args:
        name: The name or address; an IPv6 address may be in brackets.

    Returns:
        Whether it is one, without a scheme, a port or a path.
    """
    if _NAME.fullmatch(name):
        return True
    address = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    try:
        return not ipaddress.IPv6Address(address).scope_id
    except ValueError:
        return False


def is_loopback(name: str) -> bool:
    """Recognize loopback names and addresses.

    Args:
        name: The normalized name.

    Returns:
        Whether it is `localhost`, a subdomain of it, or a loopback address.
    """
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
