"""Network streams on asyncio.

AnyIO's streams are slower: they need an event loop iteration for each write, and two system calls
for each read.
"""

import asyncio
import math
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from .clock import monotonic
from .errors import (
    ReadError,
    ReadTimeout,
    TimeoutException,
    WriteError,
    WriteTimeout,
)
from .interfaces import AsyncNetworkStream, Limit
from .limits import seconds_left
from .readiness import ReadableCheck
from .watchdog import Timer, call_later, is_clock_replaced

_MAX_BUFFERED: Final = 2**16


class _Receiver(threading.local):
    """A buffer for received data, one for each thread that uses it."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(_MAX_BUFFERED))


_SHARED: Final = _Receiver()
"""The buffer for all connections in a thread.

The event loop fills it and reports it without running anything else in between. On Windows, event
loops on libuv hold the buffer while they wait for data.
"""


async def connect(address: str, port: int) -> "AsyncioStream":
    """Connect to an address; raises OSError."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(partial(AsyncioStream, loop), address, port)
    return stream


class Alarm:
    """Ends the waits of one connection at their limits.

    Event loop timers are expensive, so waits reuse them: when a timer fires, it checks the
    limit of the current wait, and restarts if that has not passed.

    Args:
        loop: The event loop.
        ring: Called at the limit.
    """

    __slots__ = ("_expires_at", "_fires_at", "_loop", "_ring", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], object]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: Timer | None = None
        self._expires_at = self._fires_at = math.inf

    def set(self, seconds: float) -> None:
        """Ring after this many seconds, unless the alarm is set again or unset first."""
        self._expires_at = monotonic() + seconds
        if self._expires_at < self._fires_at or is_clock_replaced():
            self._start()

    def unset(self) -> None:
        """Cancel the alarm, but not its timer."""
        self._expires_at = math.inf

    def stop(self) -> None:
        """Cancel the alarm and its timer."""
        self._expires_at = self._fires_at = math.inf
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _start(self) -> None:
        expires_at = self._expires_at
        self.stop()
        self._expires_at = self._fires_at = expires_at
        seconds = max(expires_at - monotonic(), 0.0)
        self._timer = call_later(self._loop, seconds, self._fire)

    def _fire(self) -> None:
        self._timer, self._fires_at = None, math.inf
        if self._expires_at <= monotonic():
            self._expires_at = math.inf
            self._ring()
        elif self._expires_at < math.inf:
            self._start()


class AsyncioStream(asyncio.BufferedProtocol, AsyncNetworkStream):
    """A TCP connection that buffers received data; one task at a time may wait for more.

    For a plain protocol, asyncio allocates 256 KiB for each read, which takes longer than the read.
    """

    _transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._receiver = _Receiver() if sys.platform == "win32" else _SHARED
        self._buffer = b""
        self._is_paused = False  # whether reading is paused because the buffer is full
        self._is_blocked = False  # whether writes must wait because the peer is slow
        self._has_ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._alarm = Alarm(loop, self._expire)
        self._expired: type[TimeoutException] = TimeoutException
        self._has_data: ReadableCheck | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport; called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Where to put received data; called by asyncio."""
        return self._receiver.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Buffer the data; called by asyncio."""
        data = bytes(self._receiver.buffer[:nbytes])
        self._buffer = self._buffer + data if self._buffer else data
        if len(self._buffer) > _MAX_BUFFERED:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def pause_writing(self) -> None:
        """Block writes; called by asyncio."""
        self._is_blocked = True

    def resume_writing(self) -> None:
        """Unblock writes; called by asyncio."""
        self._is_blocked = False
        self._wake()

    def eof_received(self) -> None:
        """Record the end of the stream; called by asyncio, which then closes the connection."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end of the stream and its reason; called by asyncio."""
        if exc is not None:
            self._buffer += _unread(self._transport)
        self._has_ended, self._is_blocked = True, False
        self._error = exc
        self._alarm.stop()
        self._wake()

    async def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
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
        if self._is_paused and len(self._buffer) <= _MAX_BUFFERED:
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
        """Close the connection immediately, without sending buffered data."""
        self._transport.abort()

    async def aclose(self) -> None:
        """Close the connection; idempotent."""
        self.abort()
        await asyncio.sleep(0)

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        if self._buffer or self._has_ended:
            return True
        if self._has_data is None:
            self._has_data = ReadableCheck(self._transport.get_extra_info("socket"))
        return self._has_data()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
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
        self._expired = expired
        if seconds is not None:
            self._alarm.set(seconds)
        try:
            await waiter
        finally:
            self._alarm.unset()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _expire(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(self._expired())


def _unread(transport: asyncio.Transport) -> bytes:
    # After a failed write, asyncio closes the socket without reading what the peer has sent.
    connection = transport.get_extra_info("socket")
    try:
        with connection.dup() as copy:
            copy.setblocking(False)
            data: bytes = copy.recv(_MAX_BUFFERED)
            return data
    except (AttributeError, OSError, TypeError):  # not every event loop has a socket to duplicate
        return b""
