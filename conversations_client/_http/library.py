"""The HTTP library: no other module of the package imports httpx or httpcore.

httpx2, a fork of httpx, has the same names. A client of the fork may be injected. To move to the
fork, import it here instead.
"""

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, Protocol

import httpcore
import httpx

__all__ = [
    "AsyncHTTPClient",
    "HTTPClient",
    "classes",
    "httpcore",
    "httpx",
    "must_be_httpcores",
    "unpatched",
]

_FORK: Final = "httpx2"


class _Client(Protocol):
    @property
    def is_closed(self) -> bool: ...
    @property
    def build_request(self) -> Callable[..., Any]: ...
    @property
    def send(self) -> Callable[..., Any]: ...


class HTTPClient(_Client, Protocol):
    """An `httpx.Client`, or an `httpx2.Client`."""

    def close(self) -> None: ...


class AsyncHTTPClient(_Client, Protocol):
    """An `httpx.AsyncClient`, or an `httpx2.AsyncClient`."""

    async def aclose(self) -> None: ...


def classes(*names: str) -> tuple[type[Any], ...]:
    """The classes of these names: httpx's, and the fork's if the program has imported it."""
    libraries = (httpx, sys.modules.get(_FORK))
    found = (getattr(library, name, None) for library in libraries for name in names)
    return tuple(each for each in found if isinstance(each, type))


def must_be_httpcores() -> bool:
    """Whether to use httpcore's own connections: something such as respx has patched them."""
    return (
        httpcore.HTTPConnection.handle_request is not _handle_request
        or httpcore.AsyncHTTPConnection.handle_async_request is not _handle_async_request
    )


def unpatched(cls: type, method: str) -> object:
    """The method as the library defines it; None if something has patched it already."""
    found = vars(cls)[method]
    if not isinstance(found, FunctionType):
        return None
    return found if found.__globals__["__name__"].startswith(f"{cls.__module__}.") else None


_handle_request: Final = unpatched(httpcore.HTTPConnection, "handle_request")
_handle_async_request: Final = unpatched(httpcore.AsyncHTTPConnection, "handle_async_request")
