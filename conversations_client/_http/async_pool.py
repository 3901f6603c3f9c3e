"""The async pool: connections in the slots of `pool`.

It takes the place of httpcore's pool in httpx's transport. httpcore's scans and polls every
connection for every request, and loses one if a task is cancelled while it waits.
"""

import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, Final, Self, TypeAlias, cast

import anyio

from conversations_client._http.connections.limits import (
    CUT_OFF,
    extensions,
    pool_timeout,
)

from .library import httpcore, httpx
from .pool import LOOK_SECONDS, Pool, Ticket

_CLOSING_SECONDS: Final = 1.0  # for the goodbye of an encrypted connection

_Ticket: TypeAlias = Ticket[httpcore.AsyncConnectionInterface, anyio.Event]


class AsyncConnectionPool:
    """The connections of an async client to its one origin, in one event loop.

    Args:
        connect: Makes a connection, which opens when it is first used.
        size: The most connections open at once.
        keepalive: Seconds that a connection may be idle.
        clock: The time in seconds, from any start.
    """

    def __init__(
        self,
        connect: Callable[[], httpcore.AsyncConnectionInterface],
        *,
        size: int,
        keepalive: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._pool: Pool[httpcore.AsyncConnectionInterface, anyio.Event] = Pool(
            size=size, keepalive=keepalive, signal=anyio.Event
        )

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The head of the response; raises httpcore's errors and ClientClosedError."""
        ticket = self._pool.ticket()
        try:
            try:
                return await self._respond(ticket, request)
            except BaseException:
                await self.release(ticket)
                raise
        except BaseException:
            await self.release(ticket)  # again, for an interrupt may have ended the first
            raise

    async def aclose(self) -> None:
        """Close every connection for good: idle ones now, the others when they are released."""
        self._pool.close()
        await self._close_stale()

    async def release(self, ticket: _Ticket) -> None:
        """Give a slot back, with its connection if that can be used again; again does nothing."""
        connection = ticket.connection
        if connection is None or not connection.is_available():
            await self._discard(ticket)
        else:
            self._pool.release(ticket, now=self._clock())
            if self._pool.is_closed:
                await self._close_stale()

    async def _respond(self, ticket: _Ticket, request: httpcore.Request) -> httpcore.Response:
        try:
            await self._close_stale()
            if not self._pool.acquire(ticket):
                await self._wait(ticket, pool_timeout(request))
        except BaseException:
            extensions(request)[CUT_OFF] = httpx.PoolTimeout("")
            raise
        response = await self._send(ticket, request)
        response.stream = AsyncPooledBody(
            cast("AsyncIterable[bytes]", response.stream), ticket, self
        )
        return response

    async def _wait(self, ticket: _Ticket, left: float) -> None:
        while True:
            is_signalled = left > 0 and await _signalled(ticket, min(left, LOOK_SECONDS))
            if not is_signalled:
                await self._close_stale()
                left -= LOOK_SECONDS
            if self._pool.take_turn(ticket):
                return
            if left <= 0:
                raise httpcore.PoolTimeout

    async def _send(self, ticket: _Ticket, request: httpcore.Request) -> httpcore.Response:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service hung up: noticed before anything is sent.
            await _aclose(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return await connection.handle_async_request(request)

    async def _close_stale(self) -> None:
        while self._pool.has_stale(self._clock()):
            ticket = self._pool.ticket()
            try:
                self._pool.take_stale(ticket, self._clock())
            finally:
                await self._discard(ticket)

    async def _discard(self, ticket: _Ticket) -> None:
        try:
            connection = self._pool.begin_closing(ticket)
            if connection is not None:
                await _aclose(connection)
        finally:
            self._pool.vacate(ticket)


class AsyncPooledBody(AsyncIterator[bytes]):
    """The body of a response, which gives its slot back at the end.

    One that nobody closes gives it back too: its ticket is garbage collected with it.
    """

    __slots__ = ("_chunks", "_pool", "_stream", "_ticket")

    def __init__(
        self, stream: AsyncIterable[bytes], ticket: _Ticket, pool: "AsyncConnectionPool"
    ) -> None:
        self._stream: Any = stream
        self._chunks = aiter(stream)
        self._ticket = ticket
        self._pool = pool

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except BaseException:  # StopAsyncIteration too
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Read no more, and give the slot back; again does nothing."""
        try:
            if hasattr(self._stream, "aclose"):
                await self._stream.aclose()
        finally:
            await self._pool.release(self._ticket)


async def _signalled(ticket: _Ticket, seconds: float) -> bool:
    with anyio.move_on_after(seconds):
        if ticket.signal is not None:
            await ticket.signal.wait()
            return True
    return False


async def _aclose(connection: httpcore.AsyncConnectionInterface) -> None:
    # In a cancelled task too: that is when most connections are closed.
    with (
        anyio.move_on_after(_CLOSING_SECONDS, shield=True),
        contextlib.suppress(Exception),  # nobody waits for it any more
    ):
        await connection.aclose()
