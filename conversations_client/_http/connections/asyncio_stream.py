"""A connection in an event loop of asyncio, as httpcore has its streams.

AnyIO's, which httpcore uses on both, takes a turn of the event loop for each write, and asks the
operating system twice for each read whether it may.
"""

import asyncio
import ipaddress
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import anyio

from conversations_client._http.library import httpcore

from .deadline_sockets import each_once, is_readable

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST_HELD: Final = 2**16
_NEXT_ADDRESS: Final = 0.25  # seconds after which the next address of a host is tried too
_LONG: Final = 86400.0  # seconds; asyncio has a limit of its own, which is not asked for


async def connect(host: str, port: int, limit: float | None, *, encrypted: bool) -> "AsyncioStream":
    """An open connection, to be encrypted or not; raises ConnectError and ConnectTimeout."""
    make = partial(AsyncioStream, asyncio.get_running_loop(), encrypted=encrypted)
    try:
        with anyio.fail_after(limit):
            return await _first(await _addresses(host, port), port, make)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error


async def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        loop = asyncio.get_running_loop()
        return each_once(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def _first(
    addresses: list[str], port: int, make: "Callable[[], AsyncioStream]"
) -> "AsyncioStream":
    """To the address that is reached first; asyncio's own race loses connections when cancelled."""
    loop = asyncio.get_running_loop()
    reached: list[AsyncioStream] = []
    failed: list[OSError] = []

    async def attempt(address: str, over: anyio.Event) -> None:
        try:
            _, stream = await loop.create_connection(make, address, port)
        except OSError as error:
            failed.append(error)
        else:
            reached.append(stream)
            tasks.cancel_scope.cancel()
        over.set()

    try:
        async with anyio.create_task_group() as tasks:
            for address in addresses:
                over = anyio.Event()
                tasks.start_soon(attempt, address, over)
                with anyio.move_on_after(_NEXT_ADDRESS):
                    await over.wait()
    except BaseException:
        _abort(reached)
        raise
    if not reached:
        raise failed[-1]
    _abort(reached[1:])
    return reached[0]


def _abort(streams: "list[AsyncioStream]") -> None:
    for stream in streams:
        stream.abort()


class AsyncioStream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """What came and was not read yet, and one task that may wait for more."""

    _transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, *, encrypted: bool) -> None:
        self._loop = loop
        self._is_encrypted = encrypted
        self._held = b""
        self._is_full = False  # what is held, so that no more is read
        self._is_slow = False  # the peer, so that no more is written
        self._has_ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to write to; asyncio's own."""
        self._transport = cast("asyncio.Transport", transport)
        if self._is_encrypted:
            # What comes is not for this stream until it is decrypted.
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Hold what came; asyncio's own."""
        self._held = self._held + data if self._held else data
        if len(self._held) > _LARGEST_HELD:
            self._is_full = True
            self._transport.pause_reading()
        self._wake()

    def pause_writing(self) -> None:
        """Have who writes wait; asyncio's own."""
        self._is_slow = True

    def resume_writing(self) -> None:
        """Let who writes go on; asyncio's own."""
        self._is_slow = False
        self._wake()

    def eof_received(self) -> None:
        """Take note of the end; asyncio's own, which closes the connection."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end, and of why; asyncio's own."""
        self._has_ended, self._is_slow = True, False
        self._error = exc
        self._wake()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._held:
            # A peer that never stops must not keep others from their turn, nor a deadline.
            await asyncio.sleep(0)
        while not self._held and not self._has_ended:
            await self._woken(timeout, httpcore.ReadTimeout)
        if not self._held and self._error is not None:
            raise httpcore.ReadError(str(self._error)) from self._error
        data, self._held = self._held[:max_bytes], self._held[max_bytes:]
        if self._is_full and len(self._held) <= _LARGEST_HELD:
            self._is_full = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if self._transport.is_closing():
            raise httpcore.WriteError
        self._transport.write(buffer)
        while self._is_slow:
            await self._woken(timeout, httpcore.WriteTimeout)

    def abort(self) -> None:
        """Close it at once: nobody waits for what could still be sent, or for a goodbye."""
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
        try:
            with anyio.fail_after(timeout):
                transport = await self._loop.start_tls(
                    self._transport,
                    self,
                    ssl_context,
                    server_hostname=server_hostname,
                    ssl_handshake_timeout=_LONG,
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if transport is None:
            # What asyncio says of a connection that was lost on the way.
            raise httpcore.ConnectError("Server disconnected while it was encrypted.")
        self._transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        match info:
            case "is_readable":
                connection = self._transport.get_extra_info("socket")
                return bool(self._held) or self._has_ended or is_readable(connection)
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case _:
                return self._transport.get_extra_info(info)

    async def _woken(self, limit: float | None, expired: type[httpcore.TimeoutException]) -> None:
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
