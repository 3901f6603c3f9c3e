"""Detects tools that hook into the HTTP library: mocks, instrumentation, recorders.

The client's own connections don't use the library. While a tool hooks into it, calls go through the
library, so that the tool sees them.
"""

import sys
from types import FunctionType
from typing import Any, Final

_HOOKABLE: Final = (
    ("httpx", "Client", "send"),
    ("httpx", "Client", "_send_single_request"),
    ("httpx", "AsyncClient", "send"),
    ("httpx", "AsyncClient", "_send_single_request"),
    ("httpx", "HTTPTransport", "handle_request"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request"),
)
_HOOKABLE_BELOW: Final = (
    ("httpcore", "HTTPConnection", "handle_request"),
    ("httpcore", "AsyncHTTPConnection", "handle_async_request"),
    ("httpcore", "ConnectionPool", "handle_request"),
    ("httpcore", "AsyncConnectionPool", "handle_async_request"),
)


def is_hooked() -> bool:
    """Whether calls must go through the library."""
    return "httpx" in sys.modules and (_are_hooked(_HOOKABLE) or _are_hooked(_HOOKABLE_BELOW))


def is_hooked_below() -> bool:
    """Whether calls must also go through the library's own connections."""
    return _are_hooked(_HOOKABLE_BELOW)


def _are_hooked(functions: tuple[tuple[str, str, str], ...]) -> bool:
    for module, name, method in functions:
        # Another thread may be importing the library right now.
        cls: Any = getattr(sys.modules.get(module), name, None)
        if cls is not None:
            current = cls.__dict__.get(method)
            if current is not _originals.get((module, name, method)) and not _is_original(
                module, name, method, current
            ):
                return True
    return False


def _is_original(module: str, name: str, method: str, current: object) -> bool:
    # The original is a function of the library. A hook comes from another package, or is a proxy,
    # which isinstance() would accept as a function.
    if type(current) is not FunctionType:
        return False
    origin = current.__globals__.get("__name__", "")
    if not str(origin).startswith(f"{module}.") or current.__qualname__ != f"{name}.{method}":
        return False
    _originals[module, name, method] = current
    return True


_originals: Final[dict[tuple[str, str, str], FunctionType]] = {}
