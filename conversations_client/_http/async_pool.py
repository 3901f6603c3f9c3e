"""The async pool: the bookkeeping of `_pool` put to work on connections.

It stands where httpx's transport keeps httpcore's pool, which scans and polls every connection for
every request, and loses one where a task is cancelled while it waits. Nothing is awaited between
the bookkeeping's steps, so that a cancelled task can't leave them half done.
"""

import contextlib
import time
from collections import deque
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

_CLOSING_SECONDS: Final = 1.0  # in which an encrypted connection may still say goodbye

_Ticket: TypeAlias = Ticket[httpcore.AsyncConnectionInterface, anyio.Event]


class AsyncConnectionPool:
    """The connections of an async client to its one origin, in one event loop.

    Args:
        connect: Makes a connection, which opens when it is first used.
        size: How many may be open at once.
        keepalive: Seconds that one may be idle.
        clock: The time in seconds, whenever it started.
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
        # What is to be closed before the next request, or by who waits: what expired, and what a
        # response held that nobody closed. Its place is kept until then.
        self.dropped: deque[_Ticket] = deque()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The head of the answer; raises httpcore's errors and ClientClosedError."""
        ticket = await self._acquire(request)
        try:
            response = await self._send(ticket, request)
        except BaseException:
            await self.release(ticket)
            raise
        response.stream = AsyncPooledBody(
            cast("AsyncIterable[bytes]", response.stream), ticket, self
        )
        return response

    async def aclose(self) -> None:
        """Close every connection for good: the idle ones now, the others when they are released."""
        self.dropped.extend(self._pool.close())
        await self._sweep()

    async def release(self, ticket: _Ticket) -> None:
        """Give a place on, with its connection if that can be used again."""
        connection = ticket.connection
        if connection is None or not connection.is_available():
            await self._discard(ticket)
            return
        refused = self._pool.release(ticket, now=self._clock())
        if refused is not None:
            await _aclose(refused)

    async def _acquire(self, request: httpcore.Request) -> _Ticket:
        self.dropped.extend(self._pool.expired(self._clock()))
        ticket = self._pool.acquire()
        try:
            if self.dropped:
                await self._sweep()
            if ticket.signal is not None:
                await self._wait(ticket, ticket.signal, request)
        except BaseException:
            extensions(request)[CUT_OFF] = httpx.PoolTimeout("")
            await self._give_up(ticket)
            raise
        return ticket

    async def _wait(self, ticket: _Ticket, signal: anyio.Event, request: httpcore.Request) -> None:
        left = pool_timeout(request)
        while left > 0:
            with anyio.move_on_after(min(left, LOOK_SECONDS)):
                await signal.wait()
                break
            await self._sweep()
            left -= LOOK_SECONDS
        if not self._pool.turn_came(ticket):
            raise httpcore.PoolTimeout

    async def _give_up(self, ticket: _Ticket) -> None:
        self._pool.withdraw(ticket)
        if ticket.granted:
            await self.release(ticket)

    async def _send(self, ticket: _Ticket, request: httpcore.Request) -> httpcore.Response:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service hung up: noticed before anything is sent.
            ticket.connection = None
            await _aclose(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return await connection.handle_async_request(request)

    async def _sweep(self) -> None:
        while self.dropped:
            await self._discard(self.dropped.popleft())

    async def _discard(self, ticket: _Ticket) -> None:
        try:
            if ticket.connection is not None:
                await _aclose(ticket.connection)
        finally:
            self._pool.vacate(ticket)


class AsyncPooledBody(AsyncIterator[bytes]):
    """What httpcore reads of an answer."""

    __slots__ = ("_chunks", "_held", "_pool", "_stream")

    def __init__(
        self, stream: AsyncIterable[bytes], ticket: _Ticket, pool: "AsyncConnectionPool"
    ) -> None:
        self._stream: Any = stream
        self._chunks = aiter(stream)
        self._held = [ticket]
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
        """Read no more; the place is given back once, whoever closes first."""
        try:
            ticket = self._held.pop()
        except IndexError:
            return
        try:
            if hasattr(self._stream, "aclose"):
                await self._stream.aclose()
        finally:
            await self._pool.release(ticket)

    def __del__(self) -> None:
        self._pool.dropped.extend(self._held)


async def _aclose(connection: httpcore.AsyncConnectionInterface) -> None:
    # Also where the task is being cancelled, for then it is closed most often.
    with (
        anyio.move_on_after(_CLOSING_SECONDS, shield=True),
        contextlib.suppress(Exception),  # nobody waits for it any more
    ):
        await connection.aclose()
