"""A connection in an event loop of asyncio.

AnyIO's streams take a turn of the event loop for each write, and two calls of the operating system
for each read.
"""

import asyncio
from functools import partial
from typing import Any, Final, cast

from .errors import (
    ReadError,
    ReadTimeout,
    TimeoutException,
    WriteError,
    WriteTimeout,
)
from .interfaces import AsyncNetworkStream, Limit
from .limits import seconds_left
from .readiness import is_readable
from .watchdog import call_later

_MOST_BUFFERED: Final = 2**16


async def connect(address: str, port: int) -> "AsyncioStream":
    """A connection to an address; raises OSError."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(partial(AsyncioStream, loop), address, port)
    return stream


class AsyncioStream(asyncio.Protocol, AsyncNetworkStream):
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

    async def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, none at the end; raises ReadTimeout and ReadError."""
        if self._buffer:
            # A peer that never stops sending must not block other tasks.
            await asyncio.sleep(0)
            seconds_left(limit, ReadTimeout)
        while not self._buffer and not self._has_ended:
            await self._wait(limit, ReadTimeout)
        if not self._buffer and self._error is not None:
            raise ReadError(str(self._error)) from self._error
        data, self._buffer = self._buffer, b""
        if len(data) > max_bytes:
            data, self._buffer = data[:max_bytes], data[max_bytes:]
        if self._is_paused and len(self._buffer) <= _MOST_BUFFERED:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    async def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        if self._transport.is_closing():
            raise WriteError
        self._transport.write(data)
        while self._is_blocked:
            await self._wait(limit, WriteTimeout)

    def abort(self) -> None:
        """Close it at once, without sending what is left."""
        self._transport.abort()

    async def aclose(self) -> None:
        """Close it; again does nothing."""
        self.abort()
        await asyncio.sleep(0)

    def is_readable(self) -> bool:
        """Whether it has received anything, or has ended."""
        connection = self._transport.get_extra_info("socket")
        return bool(self._buffer) or self._has_ended or is_readable(connection)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its name in httpcore; None if there is none."""
        match info:
            case "is_readable":
                return self.is_readable()
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case _:
                return self._transport.get_extra_info(info)

    async def _wait(self, limit: Limit, expired: type[TimeoutException]) -> None:
        seconds = seconds_left(limit, expired)
        self._waiter = waiter = self._loop.create_future()
        timer = None
        if seconds is not None:
            timer = call_later(self._loop, seconds, _expire, waiter, expired)
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _expire(waiter: asyncio.Future[None], expired: type[TimeoutException]) -> None:
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
