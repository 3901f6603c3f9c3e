"""The sync pool: connections in the slots of `pool`."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

from conversations_client._base.wakeup import Wakeup
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.streams.errors import PoolTimeout
from conversations_client._http.streams.interfaces import NetworkStream

from .pool import LOOK_SECONDS, Pool, Ticket


class PoolableConnection(Protocol):
    """A connection that serves one request after the other."""

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        ...

    def has_expired(self) -> bool:
        """Whether it must not be used again."""
        ...

    def send(self, request: WireRequest) -> WireResponse:
        """Send the request and read the head of the response; raises ConnectionFailure."""
        ...

    def close(self) -> None:
        """Close it for good; again does nothing."""
        ...


class ClosableBody(Iterator[bytes], Protocol):
    """The body of a response, chunk by chunk."""

    stream: NetworkStream

    def shorten(self, seconds: float) -> None:
        """Set a deadline so many seconds from now."""
        ...

    def close(self) -> None:
        """Read no more; again does nothing."""
        ...


_Ticket: TypeAlias = Ticket[PoolableConnection, Wakeup]


class ConnectionPool:
    """The connections of a sync client to its one origin.

    Args:
        connect: Makes a connection, which opens when it is first used.
        size: The most connections open at once.
        keepalive: Seconds that a connection may be idle.
        clock: The time in seconds, from any start.
    """

    def __init__(
        self,
        connect: Callable[[], PoolableConnection],
        *,
        size: int,
        keepalive: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hooked: dict[bool, Any] = {}
        """The HTTP library's clients over this pool, made while a tool hooks on the library."""
        self._connect = connect
        self._clock = clock
        self._pool: Pool[PoolableConnection, Wakeup] = Pool(
            size=size, keepalive=keepalive, signal=Wakeup
        )

    def send(self, request: WireRequest) -> WireResponse:
        """The head of the response; raises ConnectionFailure and ClientClosedError."""
        ticket = self._pool.ticket()
        try:
            try:
                return self._respond(ticket, request)
            except BaseException:
                self.release(ticket)
                raise
        except BaseException:
            self.release(ticket)  # again, for an interrupt may have ended the first
            raise

    def close(self) -> None:
        """Close every connection for good: idle ones now, the others when they are released."""
        self._pool.close()
        self._close_stale()

    def release(self, ticket: _Ticket) -> None:
        """Give a slot back, with its connection if that can be used again; again does nothing."""
        connection = ticket.connection
        if connection is None or not connection.is_available():
            self._discard(ticket)
        else:
            self._pool.release(ticket, now=self._clock())
            if self._pool.is_closed:
                self._close_stale()

    def _respond(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        self._close_stale()
        if not self._pool.acquire(ticket):
            self._wait(ticket, request.limits.seconds_to_wait())
        response = self._send(ticket, request)
        response.body = PooledBody(response.body, ticket, self)
        return response

    def _wait(self, ticket: _Ticket, left: float) -> None:
        while True:
            signal = ticket.signal
            is_signalled = left > 0 and signal is not None and signal.wait(min(left, LOOK_SECONDS))
            if not is_signalled:
                self._close_stale()
                left -= LOOK_SECONDS
            if self._pool.take_turn(ticket):
                return
            if left <= 0:
                raise PoolTimeout

    def _send(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service hung up: noticed before anything is sent.
            _close(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return connection.send(request)

    def _close_stale(self) -> None:
        while self._pool.has_stale(self._clock()):
            ticket = self._pool.ticket()
            try:
                self._pool.take_stale(ticket, self._clock())
            finally:
                self._discard(ticket)

    def _discard(self, ticket: _Ticket) -> None:
        try:
            connection = self._pool.begin_closing(ticket)
            if connection is not None:
                _close(connection)
        finally:
            self._pool.vacate(ticket)


class PooledBody(Iterator[bytes]):
    """The body of a response, which gives its slot back at the end.

    One that nobody closes gives it back too: its ticket is garbage collected with it.
    """

    __slots__ = ("_chunks", "_pool", "_ticket")

    def __init__(self, chunks: ClosableBody, ticket: _Ticket, pool: "ConnectionPool") -> None:
        self._chunks = chunks
        self._ticket = ticket
        self._pool = pool

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:  # StopIteration too
            self.close()
            raise

    @property
    def stream(self) -> NetworkStream:
        """The stream that the body is read from."""
        return self._chunks.stream

    def drain(self, seconds: float) -> None:
        """Read what is left for so many seconds at most, so that the connection can be reused."""
        self._chunks.shorten(seconds)
        for _ in self:
            pass

    def close(self) -> None:
        """Read no more, and give the slot back; again does nothing."""
        try:
            self._chunks.close()
        finally:
            self._pool.release(self._ticket)


def _close(connection: PoolableConnection) -> None:
    with contextlib.suppress(Exception):  # nobody waits for it any more
        connection.close()
