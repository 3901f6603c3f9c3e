"""The async pool: connections in the slots of `pool`."""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Protocol, TypeAlias, cast

import anyio

from conversations_client._base.event_loop import is_asyncio
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.streams.errors import PoolTimeout
from conversations_client._http.streams.interfaces import AsyncNetworkStream
from conversations_client._http.streams.watchdog import call_later, move_on_after

from .pool import LOOK_SECONDS, Pool, Ticket

_CLOSING_SECONDS: Final = 1.0  # for the goodbye of an encrypted connection


class FutureSignal:
    """Wakes one task of asyncio, without the cancel scope and the event of AnyIO."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[bool] = self._loop.create_future()

    def set(self) -> None:
        """Wake the task that waits, or the next one that will."""
        self._end(is_set=True)

    async def wait_for(self, seconds: float) -> bool:
        """Wait for `set`; False if it did not come in time."""
        if self._future.done() and not self._future.cancelled():
            return self._future.result()
        timer = call_later(self._loop, seconds, self._end)
        try:
            return await self._future
        finally:
            timer.cancel()

    def _end(self, *, is_set: bool = False) -> None:
        if not self._future.done():
            self._future.set_result(is_set)


class EventSignal:
    """Wakes one task of any event loop."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = anyio.Event()

    def set(self) -> None:
        """Wake the task that waits, or the next one that will."""
        self._event.set()

    async def wait_for(self, seconds: float) -> bool:
        """Wait for `set`; False if it did not come in time."""
        with move_on_after(seconds):
            await self._event.wait()
        return self._event.is_set()


AsyncSignal: TypeAlias = FutureSignal | EventSignal


def new_signal() -> AsyncSignal:
    """What a task of this event loop waits on."""
    return FutureSignal() if is_asyncio() else EventSignal()


class PoolableAsyncConnection(Protocol):
    """A connection that serves one request after the other."""

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        ...

    def has_expired(self) -> bool:
        """Whether it must not be used again."""
        ...

    async def send(self, request: WireRequest) -> WireResponse:
        """Send the request and read the head of the response; raises ConnectionFailure."""
        ...

    async def aclose(self) -> None:
        """Close it for good; again does nothing."""
        ...


class ClosableAsyncBody(Protocol):
    """The body of a response, chunk by chunk."""

    def __anext__(self) -> Awaitable[bytes]: ...

    stream: AsyncNetworkStream

    def shorten(self, seconds: float) -> None:
        """Set a deadline so many seconds from now."""
        ...

    async def aclose(self) -> None:
        """Read no more; again does nothing."""
        ...


_Ticket: TypeAlias = Ticket[PoolableAsyncConnection, AsyncSignal]


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
        connect: Callable[[], PoolableAsyncConnection],
        *,
        size: int,
        keepalive: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hooked: dict[bool, Any] = {}
        """The HTTP library's clients over this pool, made while a tool hooks on the library."""
        self._connect = connect
        self._clock = clock
        self._pool: Pool[PoolableAsyncConnection, AsyncSignal] = Pool(
            size=size, keepalive=keepalive, signal=new_signal
        )

    async def send(self, request: WireRequest) -> WireResponse:
        """The head of the response; raises ConnectionFailure and ClientClosedError."""
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

    async def _respond(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        await self._close_stale()
        if not self._pool.acquire(ticket):
            await self._wait(ticket, request.limits.seconds_to_wait())
        response = await self._send(ticket, request)
        response.body = AsyncPooledBody(response.body, ticket, self)
        return response

    async def _wait(self, ticket: _Ticket, left: float) -> None:
        while True:
            signal = cast("AsyncSignal", ticket.signal)
            is_signalled = left > 0 and await signal.wait_for(min(left, LOOK_SECONDS))
            if not is_signalled:
                await self._close_stale()
                left -= LOOK_SECONDS
            if self._pool.take_turn(ticket):
                return
            if left <= 0:
                raise PoolTimeout

    async def _send(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service hung up: noticed before anything is sent.
            await _aclose(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return await connection.send(request)

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

    __slots__ = ("_chunks", "_pool", "_ticket")

    def __init__(
        self, chunks: ClosableAsyncBody, ticket: _Ticket, pool: "AsyncConnectionPool"
    ) -> None:
        self._chunks = chunks
        self._ticket = ticket
        self._pool = pool

    async def __anext__(self) -> bytes:
        try:
            return await self._chunks.__anext__()
        except BaseException:  # StopAsyncIteration too
            await self.aclose()
            raise

    @property
    def stream(self) -> AsyncNetworkStream:
        """The stream that the body is read from."""
        return self._chunks.stream

    async def drain(self, seconds: float) -> None:
        """Read what is left for so many seconds at most, so that the connection can be reused."""
        self._chunks.shorten(seconds)
        async for _ in self:
            pass

    async def aclose(self) -> None:
        """Read no more, and give the slot back; again does nothing."""
        try:
            await self._chunks.aclose()
        finally:
            await self._pool.release(self._ticket)


async def _aclose(connection: PoolableAsyncConnection) -> None:
    # In a cancelled task too: that is when most connections are closed.
    with (
        anyio.move_on_after(_CLOSING_SECONDS, shield=True),
        contextlib.suppress(Exception),  # nobody waits for it any more
    ):
        await connection.aclose()
