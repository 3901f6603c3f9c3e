"""The sync pool: the bookkeeping of `_pool` put to work on connections.

It stands where httpx's transport keeps httpcore's pool, which scans and polls every connection for
every request.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeAlias, cast

from conversations_client._http.connections.limits import pool_timeout

from .library import httpcore
from .pool import LOOK_SECONDS, Pool, Ticket

_Ticket: TypeAlias = Ticket[httpcore.ConnectionInterface, threading.Event]


class ConnectionPool:
    """The connections of a sync client to its one origin.

    Args:
        connect: Makes a connection, which opens when it is first used.
        size: How many may be open at once.
        keepalive: Seconds that one may be idle.
        clock: The time in seconds, whenever it started.
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
        self._lock = threading.Lock()
        self._pool: Pool[httpcore.ConnectionInterface, threading.Event] = Pool(
            size=size, keepalive=keepalive, signal=threading.Event
        )
        # What is to be closed before the next request, or by who waits: what expired, and what a
        # response held that nobody closed. Its place is kept until then.
        self.dropped: deque[_Ticket] = deque()

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """The head of the answer; raises httpcore's errors and ClientClosedError."""
        ticket = self._acquire(request)
        try:
            response = self._send(ticket, request)
        except BaseException:
            self.release(ticket)
            raise
        response.stream = PooledBody(cast("Iterable[bytes]", response.stream), ticket, self)
        return response

    def close(self) -> None:
        """Close every connection for good: the idle ones now, the others when they are released."""
        with self._lock:
            self.dropped.extend(self._pool.close())
        self._sweep()

    def release(self, ticket: _Ticket) -> None:
        """Give a place on, with its connection if that can be used again."""
        connection = ticket.connection
        if connection is None or not connection.is_available():
            self._discard(ticket)
            return
        with self._lock:
            refused = self._pool.release(ticket, now=self._clock())
        if refused is not None:
            _close(refused)

    def _acquire(self, request: httpcore.Request) -> _Ticket:
        with self._lock:
            self.dropped.extend(self._pool.expired(self._clock()))
            ticket = self._pool.acquire()
        try:
            self._sweep()
            if ticket.signal is not None:
                self._wait(ticket, ticket.signal, request)
        except BaseException:
            self._give_up(ticket)
            raise
        return ticket

    def _wait(self, ticket: _Ticket, signal: threading.Event, request: httpcore.Request) -> None:
        left = pool_timeout(request)
        while left > 0 and not signal.wait(min(left, LOOK_SECONDS)):
            self._sweep()
            left -= LOOK_SECONDS
        with self._lock:
            granted = self._pool.turn_came(ticket)
        if not granted:
            raise httpcore.PoolTimeout

    def _give_up(self, ticket: _Ticket) -> None:
        with self._lock:
            self._pool.withdraw(ticket)
        if ticket.granted:
            self.release(ticket)

    def _send(self, ticket: _Ticket, request: httpcore.Request) -> httpcore.Response:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service hung up: noticed before anything is sent.
            ticket.connection = None
            _close(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return connection.handle_request(request)

    def _sweep(self) -> None:
        while self.dropped and (ticket := _next(self.dropped)) is not None:
            self._discard(ticket)

    def _discard(self, ticket: _Ticket) -> None:
        try:
            if ticket.connection is not None:
                _close(ticket.connection)
        finally:
            with self._lock:
                self._pool.vacate(ticket)


class PooledBody(Iterator[bytes]):
    """What httpcore reads of an answer; no generator, for one would be ended by the collector.

    The collector runs anywhere, also where this very thread holds the pool's lock: what it finds
    is left to the next request.
    """

    __slots__ = ("_chunks", "_held", "_pool", "_stream")

    def __init__(self, stream: Iterable[bytes], ticket: _Ticket, pool: "ConnectionPool") -> None:
        self._stream: Any = stream
        self._chunks = iter(stream)
        self._held = [ticket]
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
        """Read no more; the place is given back once, whoever closes first."""
        try:
            ticket = self._held.pop()
        except IndexError:
            return
        try:
            if hasattr(self._stream, "close"):
                self._stream.close()
        finally:
            self._pool.release(ticket)

    def __del__(self) -> None:
        self._pool.dropped.extend(self._held)


def _next(tickets: deque[_Ticket]) -> _Ticket | None:
    # Another thread may have taken the last one since this one looked.
    try:
        return tickets.popleft()
    except IndexError:
        return None


def _close(connection: httpcore.ConnectionInterface) -> None:
    with contextlib.suppress(Exception):  # nobody waits for it any more
        connection.close()
