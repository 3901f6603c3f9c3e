"""The sync pool: connections in the slots of `pool`.

It takes the place of httpcore's pool in httpx's transport. httpcore's scans and polls every
connection for every request, and an interrupt can cost it a connection.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeAlias, cast

from conversations_client._base.wakeup import Wakeup
from conversations_client._http.connections.limits import pool_timeout

from .library import httpcore
from .pool import LOOK_SECONDS, Pool, Ticket

_Ticket: TypeAlias = Ticket[httpcore.ConnectionInterface, Wakeup]


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
        connect: Callable[[], httpcore.ConnectionInterface],
        *,
        size: int,
        keepalive: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._pool: Pool[httpcore.ConnectionInterface, Wakeup] = Pool(
            size=size, keepalive=keepalive, signal=Wakeup
        )

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """The head of the response; raises httpcore's errors and ClientClosedError."""
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

    def _respond(self, ticket: _Ticket, request: httpcore.Request) -> httpcore.Response:
        self._close_stale()
        if not self._pool.acquire(ticket):
            self._wait(ticket, pool_timeout(request))
        response = self._send(ticket, request)
        response.stream = PooledBody(cast("Iterable[bytes]", response.stream), ticket, self)
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
                raise httpcore.PoolTimeout

    def _send(self, ticket: _Ticket, request: httpcore.Request) -> httpcore.Response:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service hung up: noticed before anything is sent.
            _close(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return connection.handle_request(request)

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

    __slots__ = ("_chunks", "_pool", "_stream", "_ticket")

    def __init__(self, stream: Iterable[bytes], ticket: _Ticket, pool: "ConnectionPool") -> None:
        self._stream: Any = stream
        self._chunks = iter(stream)
        self._ticket = ticket
        self._pool = pool

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:  # StopIteration too
            self.close()
            raise

    def close(self) -> None:
        """Read no more, and give the slot back; again does nothing."""
        try:
            if hasattr(self._stream, "close"):
                self._stream.close()
        finally:
            self._pool.release(self._ticket)


def _close(connection: httpcore.ConnectionInterface) -> None:
    with contextlib.suppress(Exception):  # nobody waits for it any more
        connection.close()
