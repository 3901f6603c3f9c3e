"""A connection in an event loop of asyncio, as a stream of httpcore.

AnyIO's streams, which httpcore uses, take a turn of the event loop for each write, and two calls of
the operating system for each read.
"""

import asyncio
import ssl
from functools import partial
from typing import Any, Final, cast

from conversations_client._http.library import httpcore

from .readiness import is_readable
from .tls_stream import AsyncTLSStream

_MOST_BUFFERED: Final = 2**16


async def connect(address: str, port: int) -> "AsyncioStream":
    """A connection to an address; raises OSError."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(partial(AsyncioStream, loop), address, port)
    return stream


class AsyncioStream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """Buffers what was received; one task may wait for more."""

    _transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buffer = b""
        self._is_paused = False  # reading, as the buffer is full
        self._is_blocked = False  # writing, as the peer is slow
        self._has_ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to write to; called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Buffer the data; called by asyncio."""
        self._buffer = self._buffer + data if self._buffer else data
        if len(self._buffer) > _MOST_BUFFERED:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def pause_writing(self) -> None:
        """Let writes wait; called by asyncio."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """Let writes continue; called by asyncio."""
        self._is_blocked = False
        self._wake()

    def eof_received(self) -> None:
        """Record the end; called by asyncio, which closes the connection."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end and its reason; called by asyncio."""
        if exc is not None:
            self._buffer += _unread(self._transport)
        self._has_ended, self._is_blocked = True, False
        self._error = exc
        self._wake()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._buffer:
            # A peer that never stops sending must not block other tasks, nor a deadline.
            await asyncio.sleep(0)
        while not self._buffer and not self._has_ended:
            await self._wait(timeout, httpcore.ReadTimeout)
        if not self._buffer and self._error is not None:
            raise httpcore.ReadError(str(self._error)) from self._error
        data, self._buffer = self._buffer[:max_bytes], self._buffer[max_bytes:]
        if self._is_paused and len(self._buffer) <= _MOST_BUFFERED:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if self._transport.is_closing():
            raise httpcore.WriteError
        self._transport.write(buffer)
        while self._is_blocked:
            await self._wait(timeout, httpcore.WriteTimeout)

    def abort(self) -> None:
        """Close it at once, without sending what is left."""
        self._transport.abort()

    async def aclose(self) -> None:
        self.abort()
        await asyncio.sleep(0)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore declares it
    ) -> httpcore.AsyncNetworkStream:
        return await AsyncTLSStream.open(self, ssl_context, server_hostname or "", timeout)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        match info:
            case "is_readable":
                connection = self._transport.get_extra_info("socket")
                return bool(self._buffer) or self._has_ended or is_readable(connection)
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case _:
                return self._transport.get_extra_info(info)

    async def _wait(self, limit: float | None, expired: type[httpcore.TimeoutException]) -> None:
        self._waiter = waiter = self._loop.create_future()
        timer = None if limit is None else self._loop.call_later(limit, _expire, waiter, expired)
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _expire(waiter: asyncio.Future[None], expired: type[httpcore.TimeoutException]) -> None:
    if not waiter.done():
        waiter.set_exception(expired())


def _unread(transport: asyncio.Transport) -> bytes:
    # asyncio closes a socket after a failed write without reading what the peer sent before.
    connection = transport.get_extra_info("socket")
    try:
        with connection.dup() as copy:
            copy.setblocking(False)
            data: bytes = copy.recv(_MOST_BUFFERED)
            return data
    except (AttributeError, OSError, TypeError):  # not every event loop has such a socket
        return b""
