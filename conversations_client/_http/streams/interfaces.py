"""What the connections need of a byte stream, sync or async."""

from typing import Any, Protocol, TypeAlias

from .limits import DeadlineLimit

Limit: TypeAlias = DeadlineLimit | float | None
"""How long a step may take; None for no limit."""


class NetworkStream(Protocol):
    """An open byte stream whose steps keep to limits."""

    def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, none at the end; raises ReadTimeout and ReadError."""
        ...

    def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        ...

    def close(self) -> None:
        """Close it at once; again does nothing."""
        ...

    def is_readable(self) -> bool:
        """Whether it has received anything, or has ended."""
        ...

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its name in httpcore; None if there is none."""
        ...


class AsyncNetworkStream(Protocol):
    """An open byte stream whose steps keep to limits."""

    async def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, none at the end; raises ReadTimeout and ReadError."""
        ...

    async def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        ...

    async def aclose(self) -> None:
        """Close it; again does nothing."""
        ...

    def is_readable(self) -> bool:
        """Whether it has received anything, or has ended."""
        ...

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its name in httpcore; None if there is none."""
        ...
