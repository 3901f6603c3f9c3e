"""Network streams on trio, with AnyIO."""

import contextlib
import math
from collections.abc import Generator
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketAttribute

from .errors import (
    NetworkError,
    ReadError,
    ReadTimeout,
    TimeoutException,
    WriteError,
    WriteTimeout,
)
from .interfaces import AsyncNetworkStream, Limit
from .limits import seconds_left
from .readiness import is_readable
from .watchdog import move_on_after


async def connect(address: str, port: int) -> "AnyIOStream":
    """Connect to an address; raises OSError."""
    try:
        return AnyIOStream(await anyio.connect_tcp(address, port))
    except OSError as error:
        # AnyIO's error says only that all attempts failed; here there was only one.
        failure = error.__cause__ or error
    # Raised outside the handler; inside it, the other error would become the context.
    raise failure


class AnyIOStream(AsyncNetworkStream):
    """A TCP connection over AnyIO."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
        received = b""
        with _within(limit, ReadTimeout, ReadError), contextlib.suppress(anyio.EndOfStream):
            received = await self._stream.receive(max_bytes)
        return received

    async def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        if data:
            with _within(limit, WriteTimeout, WriteError):
                await self._stream.send(data)

    async def aclose(self) -> None:
        """Close the connection; idempotent."""
        await self._stream.aclose()

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        return is_readable(self._stream.extra(SocketAttribute.raw_socket))  # noqa: S610 - not Django's

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
        match info:
            case "client_addr":
                return self._stream.extra(SocketAttribute.local_address, None)  # noqa: S610 - not Django's
            case "server_addr":
                return self._stream.extra(SocketAttribute.remote_address, None)  # noqa: S610 - not Django's
            case "socket":
                return self._stream.extra(SocketAttribute.raw_socket, None)  # noqa: S610 - not Django's
            case "is_readable":
                return self.is_readable()
            case _:
                return None


@contextlib.contextmanager
def _within(
    limit: Limit, expired: type[TimeoutException], failed: type[NetworkError]
) -> Generator[None, None, None]:
    """Convert AnyIO's errors and an expired limit to the exceptions in `errors`."""
    seconds = seconds_left(limit, expired)
    try:
        with move_on_after(math.inf if seconds is None else seconds):
            yield
            return
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
        raise failed(str(error)) from error
    raise expired("timed out")
