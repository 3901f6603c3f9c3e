"""TLS over any stream: of every async connection, and of a sync one through an https proxy.

asyncio can't encrypt within another TLS connection, and neither its transports nor AnyIO's streams
can be read after a failed write: the alert is lost with which a service explains why it hung up.
"""

import contextlib
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Self, TypeVar

from conversations_client._http.library import httpcore

from .limits import seconds_left

T = TypeVar("T")

_RECORD: Final = 2**14


class TLSSession:
    """What is encrypted and decrypted, in memory. No I/O."""

    def __init__(self, context: ssl.SSLContext, hostname: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    def attempt(
        self, operation: Callable[[], T], failed: type[httpcore.NetworkError]
    ) -> tuple[T] | None:
        """The result of an operation; None if more must be received first. Raises `failed`."""
        try:
            return (operation(),)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError as error:
            raise failed(str(error)) from error

    def is_readable(self) -> bool:
        """Whether bytes were received that nobody has read."""
        return bool(self._incoming.pending or self.tls.pending())

    def to_send(self) -> bytes:
        """The encrypted bytes to send."""
        return self._outgoing.read()

    def receive(self, data: bytes) -> None:
        """Take encrypted bytes, empty at the end of the connection."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def extra_info(
        self, outer: httpcore.NetworkStream | httpcore.AsyncNetworkStream, info: str
    ) -> Any:  # noqa: ANN401 - as httpcore declares it
        """What a stream over this session and an outer stream tells of itself."""
        if info == "ssl_object":
            return self.tls
        if info == "is_readable" and self.is_readable():
            return True
        return outer.get_extra_info(info)


def is_end(error: httpcore.ReadError) -> bool:
    """Whether an error of a read means that the peer closed the connection."""
    return isinstance(error.__cause__, ssl.SSLZeroReturnError | ssl.SSLEOFError)


class TLSStream(httpcore.NetworkStream):
    """A sync stream of a TLS connection."""

    def __init__(self, outer: httpcore.NetworkStream, session: TLSSession) -> None:
        self._outer = outer
        self._session = session

    @classmethod
    def open(
        cls,
        outer: httpcore.NetworkStream,
        context: ssl.SSLContext,
        hostname: str,
        limit: float | None,
    ) -> Self:
        """Encrypt a stream; raises ConnectError, ReadError, WriteError and timeouts."""
        session = TLSSession(context, hostname)
        self = cls(outer, session)
        self._run(session.tls.do_handshake, limit, httpcore.ConnectError)
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        read = partial(self._session.tls.read, max_bytes)
        try:
            return self._run(read, timeout, httpcore.ReadError)
        except httpcore.ReadError as error:
            if is_end(error):
                return b""
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            write = partial(self._session.tls.write, rest[:_RECORD])
            rest = rest[self._run(write, timeout, httpcore.WriteError) :]

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._session.extra_info(self._outer, info)

    def _run(
        self, operation: Callable[[], T], limit: float | None, failed: type[httpcore.NetworkError]
    ) -> T:
        while (result := self._session.attempt(operation, failed)) is None:
            # A peer that reads no more may have sent why.
            with contextlib.suppress(httpcore.WriteError):
                self._flush(limit)
            self._session.receive(self._outer.read(_RECORD, limit))
        self._flush(limit)
        return result[0]

    def _flush(self, limit: float | None) -> None:
        if data := self._session.to_send():
            self._outer.write(data, limit)


class AsyncTLSStream(httpcore.AsyncNetworkStream):
    """An async stream of a TLS connection."""

    def __init__(self, outer: httpcore.AsyncNetworkStream, session: TLSSession) -> None:
        self._outer = outer
        self._session = session

    @classmethod
    async def open(
        cls,
        outer: httpcore.AsyncNetworkStream,
        context: ssl.SSLContext,
        hostname: str,
        limit: float | None,
    ) -> Self:
        """Encrypt a stream; raises ConnectError, ReadError, WriteError and timeouts."""
        session = TLSSession(context, hostname)
        self = cls(outer, session)
        await self._run(session.tls.do_handshake, limit, httpcore.ConnectError)
        return self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        read = partial(self._session.tls.read, max_bytes)
        try:
            return await self._run(read, timeout, httpcore.ReadError)
        except httpcore.ReadError as error:
            if is_end(error):
                return b""
            raise

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        rest = memoryview(buffer)
        while rest:
            write = partial(self._session.tls.write, rest[:_RECORD])
            rest = rest[await self._run(write, timeout, httpcore.WriteError) :]

    async def aclose(self) -> None:
        await self._outer.aclose()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._session.extra_info(self._outer, info)

    async def _run(
        self, operation: Callable[[], T], limit: float | None, failed: type[httpcore.NetworkError]
    ) -> T:
        while (result := self._session.attempt(operation, failed)) is None:
            # A peer that reads no more may have sent why.
            with contextlib.suppress(httpcore.WriteError):
                await self._flush(limit)
            seconds = seconds_left(limit, httpcore.ReadTimeout)
            self._session.receive(await self._outer.read(_RECORD, seconds))
        await self._flush(limit)
        return result[0]

    async def _flush(self, limit: float | None) -> None:
        if data := self._session.to_send():
            await self._outer.write(data, seconds_left(limit, httpcore.WriteTimeout))
