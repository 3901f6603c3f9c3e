"""TLS over any stream, for async connections and for sync connections through an https proxy.

asyncio doesn't support TLS within TLS, and neither its transports nor AnyIO's streams can be read
after a failed write, so they lose the alert that explains why the service closed the connection.
"""

import contextlib
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Self, TypeVar

from .errors import ConnectError, NetworkError, ReadError, WriteError
from .interfaces import AsyncNetworkStream, Limit, NetworkStream

T = TypeVar("T")

_RECORD: Final = 2**14


class TLSSession:
    """Encrypts and decrypts in memory. No I/O."""

    def __init__(self, context: ssl.SSLContext, hostname: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    def attempt(self, operation: Callable[[], T], failed: type[NetworkError]) -> tuple[T] | None:
        """The result of an operation; None if more must be received first. Raises `failed`."""
        try:
            return (operation(),)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError as error:
            raise failed(str(error)) from error

    def is_readable(self) -> bool:
        """Whether received data is waiting to be read."""
        return bool(self._incoming.pending or self.tls.pending())

    def to_send(self) -> bytes:
        """The encrypted bytes to send."""
        return self._outgoing.read()

    def receive(self, data: bytes) -> None:
        """Process encrypted bytes, empty at the end of the connection."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


def is_end(error: ReadError) -> bool:
    """Whether a read error means that the peer closed the connection."""
    return isinstance(error.__cause__, ssl.SSLZeroReturnError | ssl.SSLEOFError)


class TLSStream(NetworkStream):
    """A sync TLS stream over another stream."""

    def __init__(self, outer: NetworkStream, session: TLSSession) -> None:
        self._outer = outer
        self._session = session

    @classmethod
    def open(
        cls,
        outer: NetworkStream,
        context: ssl.SSLContext,
        hostname: str,
        limit: Limit,
    ) -> Self:
        """Encrypt a stream; raises ConnectError, ReadError, WriteError and timeouts."""
        session = TLSSession(context, hostname)
        self = cls(outer, session)
        self._run(session.tls.do_handshake, limit, ConnectError)
        self._flush(limit)
        return self

    def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
        read = partial(self._session.tls.read, max_bytes)
        try:
            return self._run(read, limit, ReadError)
        except ReadError as error:
            if is_end(error):
                return b""
            raise

    def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        rest = memoryview(data)
        while rest:
            write = partial(self._session.tls.write, rest[:_RECORD])
            rest = rest[self._run(write, limit, WriteError) :]
            self._flush(limit)

    def close(self) -> None:
        """Close the connection immediately; idempotent."""
        self._outer.close()

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        return self._session.is_readable() or self._outer.is_readable()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
        if info == "is_readable":
            return self.is_readable()
        return self._session.tls if info == "ssl_object" else self._outer.get_extra_info(info)

    def _run(self, operation: Callable[[], T], limit: Limit, failed: type[NetworkError]) -> T:
        while (result := self._session.attempt(operation, failed)) is None:
            # A peer that has stopped reading may have sent the reason.
            with contextlib.suppress(WriteError):
                self._flush(limit)
            self._session.receive(self._outer.read(_RECORD, limit))
        return result[0]

    def _flush(self, limit: Limit) -> None:
        if data := self._session.to_send():
            self._outer.write(data, limit)


class AsyncTLSStream(AsyncNetworkStream):
    """An async TLS stream over another stream."""

    def __init__(self, outer: AsyncNetworkStream, session: TLSSession) -> None:
        self._outer = outer
        self._session = session

    @classmethod
    async def open(
        cls,
        outer: AsyncNetworkStream,
        context: ssl.SSLContext,
        hostname: str,
        limit: Limit,
    ) -> Self:
        """Encrypt a stream; raises ConnectError, ReadError, WriteError and timeouts."""
        session = TLSSession(context, hostname)
        self = cls(outer, session)
        await self._run(session.tls.do_handshake, limit, ConnectError)
        await self._flush(limit)
        return self

    async def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
        # Nothing is sent after the data was taken: a cancelled write would lose it.
        read = partial(self._session.tls.read, max_bytes)
        try:
            return await self._run(read, limit, ReadError)
        except ReadError as error:
            if is_end(error):
                return b""
            raise

    async def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        rest = memoryview(data)
        while rest:
            write = partial(self._session.tls.write, rest[:_RECORD])
            rest = rest[await self._run(write, limit, WriteError) :]
            await self._flush(limit)

    async def aclose(self) -> None:
        """Close the connection; idempotent."""
        await self._outer.aclose()

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        return self._session.is_readable() or self._outer.is_readable()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
        if info == "is_readable":
            return self.is_readable()
        return self._session.tls if info == "ssl_object" else self._outer.get_extra_info(info)

    async def _run(self, operation: Callable[[], T], limit: Limit, failed: type[NetworkError]) -> T:
        while (result := self._session.attempt(operation, failed)) is None:
            # A peer that has stopped reading may have sent the reason.
            with contextlib.suppress(WriteError):
                await self._flush(limit)
            self._session.receive(await self._outer.read(_RECORD, limit))
        return result[0]

    async def _flush(self, limit: Limit) -> None:
        if data := self._session.to_send():
            await self._outer.write(data, limit)
