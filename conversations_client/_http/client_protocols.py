"""Protocols for injectable HTTP clients, so that their library needn't be imported."""

import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

LIBRARIES: Final = ("httpx", "httpx2")
"""The library and its fork, which has the same class names."""


class _Sending(Protocol):
    @property
    def is_closed(self) -> bool: ...
    @property
    def params(self) -> object: ...
    @property
    def build_request(self) -> Callable[..., Any]: ...
    @property
    def send(self) -> Callable[..., Any]: ...


class HTTPClient(_Sending, Protocol):
    """An `httpx.Client`, or an `httpx2.Client`."""

    def close(self) -> None: ...


class AsyncHTTPClient(_Sending, Protocol):
    """An `httpx.AsyncClient`, or an `httpx2.AsyncClient`."""

    async def aclose(self) -> None: ...


def classes(*names: str) -> tuple[type[Any], ...]:
    """The classes with these names in the library and its fork, if they are imported."""
    libraries = (sys.modules.get(library) for library in LIBRARIES)
    values = (getattr(library, name, None) for library in libraries for name in names)
    return tuple(value for value in values if isinstance(value, type))
