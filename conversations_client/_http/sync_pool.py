"""The sync connection pool."""

import contextlib
from collections.abc import Iterator
from typing import Protocol, TypeAlias

from conversations_client._base.wakeup import Wakeup
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.streams.errors import PoolTimeout
from conversations_client._http.streams.interfaces import NetworkStream

from .pool_base import PoolBase
from .slot_queue import CHECK_SECONDS, Ticket


class PoolableConnection(Protocol):
    """A connection that serves one request at a time."""

    def is_available(self) -> bool:
        """Whether a request may be sent."""
        ...

    def has_expired(self) -> bool:
        """Whether the connection can't be used again."""
        ...

    def send(self, request: WireRequest) -> WireResponse:
        """Send the request and read the head of the response; raises ConnectionFailure."""
        ...

    def close(self) -> None:
        """Close the connection; idempotent."""
        ...


class ClosableBody(Iterator[bytes], Protocol):
    """The body of a response, chunk by chunk."""

    stream: NetworkStream

    @property
    def is_complete(self) -> bool:
        """Whether the whole body was read; False if that isn't known yet."""
        ...

    def shorten(self, seconds: float) -> None:
        """Set a deadline this many seconds from now."""
        ...

    def close(self) -> None:
        """Stop reading; idempotent."""
        ...


_Ticket: TypeAlias = Ticket[PoolableConnection, Wakeup]


class ConnectionPool(PoolBase[PoolableConnection, Wakeup]):
    """The connections of a sync client to its single origin."""

    _new_signal = Wakeup

    def send(self, request: WireRequest) -> WireResponse:
        """Send a request and return the head of the response.

        Raises:
            ConnectionFailure: The exchange failed.
            ClientClosedError: The pool is closed.
        """
        ticket = self._slots.ticket()
        try:
            try:
                return self._respond(ticket, request)
            except BaseException:
                self.release(ticket)
                raise
        except BaseException:
            # Again, in case an interrupt cut the first attempt short.
            self.release(ticket)
            raise

    def close(self) -> None:
        """Close idle connections now, and the others when they are released."""
        self._slots.close()
        self._close_stale()

    def release(self, ticket: _Ticket) -> None:
        """Release a slot, with its connection if it is reusable; idempotent."""
        if self._slots.is_settled(ticket):
            return
        connection = ticket.connection
        if connection is None or not connection.is_available():
            self._discard(ticket)
        else:
            self._slots.release(ticket, now=self._clock())
            if not self._slots.reuses:
                self._close_stale()

    def _respond(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        self._close_stale()
        if not self._slots.acquire(ticket):
            self._wait(ticket, request.limits.seconds_to_wait())
        response = self._send(ticket, request)
        response.body = PooledBody(response.body, ticket, self)
        return response

    def _wait(self, ticket: _Ticket, left: float) -> None:
        while True:
            signal = ticket.signal
            is_signalled = left > 0 and signal is not None and signal.wait(min(left, CHECK_SECONDS))
            if not is_signalled:
                self._close_stale()
                left -= CHECK_SECONDS
            if self._slots.take_turn(ticket):
                return
            if left <= 0:
                raise PoolTimeout

    def _send(self, ticket: _Ticket, request: WireRequest) -> WireResponse:
        connection = ticket.connection
        if connection is not None and connection.has_expired():
            # The service may have closed the connection; this detects it before anything is sent.
            _close(connection)
            connection = None
        if connection is None:
            connection = ticket.connection = self._connect()
        return connection.send(request)

    def _close_stale(self) -> None:
        while self._slots.has_stale(self._clock()):
            ticket = self._slots.ticket()
            try:
                self._slots.take_stale(ticket, self._clock())
            finally:
                self._discard(ticket)

    def _discard(self, ticket: _Ticket) -> None:
        try:
            try:
                self._close_connection(ticket)
            except BaseException:
                # Again, in case an interrupt cut the first attempt short.
                self._close_connection(ticket)
                raise
        finally:
            self._slots.vacate(ticket)

    def _close_connection(self, ticket: _Ticket) -> None:
        connection = self._slots.begin_closing(ticket)
        if connection is not None:
            _close(connection)


class PooledBody(Iterator[bytes]):
    """The body of a response, which releases its slot at the end.

    If the body is never closed, the slot is released when its ticket is garbage collected.
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
    def is_complete(self) -> bool:
        """Whether the whole body was read; False if that isn't known yet."""
        return self._chunks.is_complete

    @property
    def stream(self) -> NetworkStream:
        """The stream that the body is read from."""
        return self._chunks.stream

    def drain(self, seconds: float) -> None:
        """Read the rest within this many seconds, so that the connection can be reused."""
        self._chunks.shorten(seconds)
        for _ in self:
            pass

    def close(self) -> None:
        """Stop reading and release the slot; idempotent."""
        try:
            self._chunks.close()
        finally:
            self._pool.release(self._ticket)


def _close(connection: PoolableConnection) -> None:
    with contextlib.suppress(Exception):  # no caller needs the connection anymore
        connection.close()
