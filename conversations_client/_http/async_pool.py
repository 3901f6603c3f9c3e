"""The async connection pool."""

import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import Final, Protocol, TypeAlias, cast

import anyio

from conversations_client._base.event_loop import is_asyncio
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.streams.errors import PoolTimeout
from conversations_client._http.streams.interfaces import AsyncNetworkStream
from conversations_client._http.streams.limits import CLOSING_SECONDS
from conversations_client._http.streams.watchdog import call_later, move_on_after

from .pool_base import PoolBase
from .slot_queue import CHECK_SECONDS, Ticket


class FutureSignal:
    """Wakes one asyncio task; faster than AnyIO's events."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[bool] = self._loop.create_future()

    def set(self) -> None:
        """Wake the waiting task, or the next one that waits."""
        self._end(is_set=True)

    async def wait_for(self, seconds: float) -> bool:
        """Wait for `set`; False on a timeout."""
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
    """Wakes one task on any event loop."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = anyio.Event()

    def set(self) -> None:
        """Wake the waiting task, or the next one that waits."""
        self._event.set()

    async def wait_for(self, seconds: float) -> bool:
        """Wait for `set`; False on a timeout."""
        with move_on_after(seconds):
            await self._event.wait()
        return self._event.is_set()


AsyncSignal: TypeAlias = FutureSignal | EventSignal


def new_signal() -> AsyncSignal:
    """The fastest signal for the current event loop."""
    return FutureSignal() if is_asyncio() else EventSignal()


class PoolableAsyncConnection(Protocol):
    """A connection that serves one request at a time."""

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        ...

    def has_expired(self) -> bool:
        """Whether the connection can't be used again."""
        ...

    async def send(self, request: WireRequest) -> WireResponse:
        """Send the request and read the head of the response; raises ConnectionFailure."""
        ...

    async def aclose(self) -> None:
        """Close the connection; idempotent."""
        ...


class ClosableAsyncBody(Protocol):
    """The body of a response, chunk by chunk."""

    def __anext__(self) -> Awaitable[bytes]: ...

    stream: AsyncNetworkStream

    @property
    def is_complete(self) -> bool:
        """Whether the whole body was read; False if that isn't known yet."""
        ...

    def shorten(self, seconds: float) -> None:
        """Set a deadline this many seconds from now."""
        ...

    async def aclose(self) -> None:
        """Stop reading; idempotent."""
        ...


_Ticket: TypeAlias = Ticket[PoolableAsyncConnection, AsyncSignal]


class AsyncConnectionPool(PoolBase[PoolableAsyncConnection, AsyncSignal]):
    """The connections of an async client to its single origin, in one event loop."""

    _new_signal = staticmethod(new_signal)
    loop_end: object = None
    """Closes the idle connections when the event loop ends."""

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request and return the head of the response.

        Raises:
            ConnectionFailure: The exchange failed.
            ClientClosedError: The pool is closed.
        """
        ticket = self._slots.ticket()
        try:
            try:
                return await self._respond(ticket, request)
            except BaseException:
                await self.release(ticket)
                raise
        except BaseException:
            # Again, in case an interrupt cut the first attempt short.
            await self.release(ticket)
            raise

    async def aclose(self) -> None:
        """Close idle connections now, and the others when they are released."""
        self._slots.close()
        await self._close_stale()

    async def stop_reuse(self) -> None:
        """Close idle connections now, and all later ones after their request."""
        self._slots.stop_reuse()
        await self._close_stale()

    async def release(self, ticket: _Ticket) -> None:
        """Release a slot, with its connection if it is reusable; idempotent."""
        if self._slots.is_settled(ticket):
            return
        connection = ticket.connection
        if connection is None or not connection.is_available():
            await self._discard(ticket)
        else:
            self._slots.release(ticket, now=self._clock())
            if not self._slots.reuses:
                await self._close_stale()

    async def _respond(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        await self._close_stale()
        if not self._slots.acquire(ticket):
            await self._wait(ticket, request.limits.seconds_to_wait())
        response = await self._send(ticket, request)
        response.body = AsyncPooledBody(response.body, ticket, self)
        return response

    async def _wait(self, ticket: _Ticket, left: float) -> None:
        while True:
            signal = cast("AsyncSignal", ticket.signal)
            is_signalled = left > 0 and await signal.wait_for(min(left, CHECK_SECONDS))
            if not is_signalled:
                await self._close_stale()
                left -= CHECK_SECONDS
            if self._slots.take_turn(ticket):
                return
            if left <= 0:
                raise PoolTimeout

    async def _send(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service may have closed the connection; this detects it before anything is sent.
            await _aclose(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return await connection.send(request)

    async def _close_stale(self) -> None:
        while self._slots.has_stale(self._clock()):
            ticket = self._slots.ticket()
            try:
                self._slots.take_stale(ticket, self._clock())
            finally:
                await self._discard(ticket)

    async def _discard(self, ticket: _Ticket) -> None:
        try:
            try:
                await self._close_connection(ticket)
            except BaseException:
                # Again, in case an interrupt cut the first attempt short.
                await self._close_connection(ticket)
                raise
        finally:
            self._slots.vacate(ticket)

    async def _close_connection(self, ticket: _Ticket) -> None:
        connection = self._slots.begin_closing(ticket)
        if connection is not None:
            await _aclose(connection)


class AsyncPooledBody(AsyncIterator[bytes]):
    """The body of a response, which releases its slot at the end.

    If the body is never closed, the slot is released when its ticket is garbage collected.
    """

    __slots__ = ("_chunks", "_pool", "_ticket")

    is_resumable: Final = True
    """Whether the next read continues after a cancelled one, without losing data."""

    def __init__(
        self, chunks: ClosableAsyncBody, ticket: _Ticket, pool: "AsyncConnectionPool"
    ) -> None:
        self._chunks = chunks
        self._ticket = ticket
        self._pool = pool

    async def __anext__(self) -> bytes:
        try:
            return await self._chunks.__anext__()
        except Exception:  # StopAsyncIteration too, but not the cancellation of a read
            await self.aclose()
            raise

    @property
    def is_complete(self) -> bool:
        """Whether the whole body was read; False if that isn't known yet."""
        return self._chunks.is_complete

    @property
    def stream(self) -> AsyncNetworkStream:
        """The stream that the body is read from."""
        return self._chunks.stream

    async def drain(self, seconds: float) -> None:
        """Read the rest within this many seconds, so that the connection can be reused."""
        self._chunks.shorten(seconds)
        async for _ in self:
            pass

    async def aclose(self) -> None:
        """Stop reading and release the slot; idempotent."""
        try:
            await self._chunks.aclose()
        finally:
            await self._pool.release(self._ticket)


async def _aclose(connection: PoolableAsyncConnection) -> None:
    # Shielded, because many connections are closed in cancelled tasks.
    with (
        anyio.move_on_after(CLOSING_SECONDS, shield=True),
        contextlib.suppress(Exception),  # no caller needs the connection anymore
    ):
        await connection.aclose()
