"""The interfaces of sync and async byte streams."""

from typing import Any, Protocol, TypeAlias

from .limits import DeadlineLimit

Limit: TypeAlias = DeadlineLimit | float | None
"""How long a step may take; None for no limit."""


class NetworkStream(Protocol):
    """An open byte stream with time limits."""

    def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
        ...

    def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        ...

    def close(self) -> None:
        """Close the connection immediately; idempotent."""
        ...

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        ...

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
        ...


class AsyncNetworkStream(Protocol):
    """An open byte stream with time limits."""

    async def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
        ...

    async def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        ...

    async def aclose(self) -> None:
        """Close the connection; idempotent."""
        ...

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        ...

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
        ...
