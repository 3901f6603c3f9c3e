"""Who may have which connection next: the bookkeeping of a pool. No I/O, no clock, no threads."""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

from conversations_client.errors import ClientClosedError

LOOK_SECONDS: Final = 5.0
"""How often who waits looks for places held by responses that nobody closed.

The collector that finds them can't wake anybody: it may run where the locks are held.
"""


class Signal(Protocol):
    """What a request waits on, such as an event."""

    def set(self) -> object:
        """Let the request that waits go on."""


ConnectionT = TypeVar("ConnectionT")
SignalT = TypeVar("SignalT", bound=Signal)


class Ticket(Generic[ConnectionT, SignalT]):
    """A request's claim on one of the places of a pool.

    Attributes:
        granted: Whether the place is the request's, until it is released.
        connection: What the place holds; None where the holder may open a connection.
        signal: What to wait on where the place is not granted at once: it is set when the turn
            has come, and when the pool is closed.
    """

    __slots__ = ("connection", "granted", "signal")

    def __init__(self) -> None:
        self.granted = False
        self.connection: ConnectionT | None = None
        self.signal: SignalT | None = None


class Pool(Generic[ConnectionT, SignalT]):
    """The places for the connections of one origin.

    An idle connection keeps its place, and so does one that is being closed: there are never more
    connections than places. What was idle last is used first, and who waits is served in the order
    of coming. As long as somebody waits there is no place free and no connection idle.

    Args:
        size: How many places there are.
        keepalive: Seconds that a connection may be idle.
        signal: Makes what a request waits on.
    """

    def __init__(self, *, size: int, keepalive: float, signal: Callable[[], SignalT]) -> None:
        self._free = size
        self._keepalive = keepalive
        self._signal = signal
        self._idle: deque[tuple[float, ConnectionT]] = deque()
        self._waiting: OrderedDict[Ticket[ConnectionT, SignalT], SignalT] = OrderedDict()
        self._closed = False

    def acquire(self) -> Ticket[ConnectionT, SignalT]:
        """A ticket, granted at once or waiting; raises ClientClosedError."""
        if self._closed:
            raise closed_error()
        ticket: Ticket[ConnectionT, SignalT] = Ticket()
        if self._idle:
            ticket.granted = True
            _, ticket.connection = self._idle.pop()
        elif self._free:
            ticket.granted = True
            self._free -= 1
        else:
            self._waiting[ticket] = ticket.signal = self._signal()
        return ticket

    def expired(self, now: float) -> list[Ticket[ConnectionT, SignalT]]:
        """Tickets for what was idle for too long: close each connection, then vacate."""
        found: list[Ticket[ConnectionT, SignalT]] = []
        while self._idle and self._idle[0][0] <= now:
            found.append(_granted(self._idle.popleft()[1]))
        return found

    def release(self, ticket: Ticket[ConnectionT, SignalT], *, now: float) -> ConnectionT | None:
        """Give a place on, with a connection that can be used again.

        Returns:
            The connection if the pool is closed and can't keep it: close it.
        """
        connection = ticket.connection
        if self._closed or connection is None:
            self.vacate(ticket)
            return connection
        if not self._passed_on(ticket):
            self._idle.append((now + self._keepalive, connection))
        return None

    def vacate(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        """Give a place on whose connection is closed, or was never opened."""
        ticket.connection = None
        if not self._passed_on(ticket):
            self._free += 1

    def _passed_on(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        if not self._waiting:
            return False
        waiter, signal = self._waiting.popitem(last=False)
        waiter.granted = True
        waiter.connection = ticket.connection
        signal.set()
        return True

    def turn_came(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        """Whether a ticket that waited is granted; if not, it waits no longer.

        Raises:
            ClientClosedError: The pool was closed before its turn.
        """
        self.withdraw(ticket)
        if self._closed and not ticket.granted:
            raise closed_error()
        return ticket.granted

    def withdraw(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        """Wait no longer; a ticket that is granted meanwhile stays so."""
        self._waiting.pop(ticket, None)

    def close(self) -> list[Ticket[ConnectionT, SignalT]]:
        """Refuse whoever waits or comes; tickets for what is idle: close each, then vacate."""
        self._closed = True
        for signal in self._waiting.values():
            signal.set()
        self._waiting.clear()
        return self.expired(math.inf)


def _granted(connection: ConnectionT) -> Ticket[ConnectionT, Any]:
    ticket: Ticket[ConnectionT, Any] = Ticket()
    ticket.granted = True
    ticket.connection = connection
    return ticket


def closed_error() -> ClientClosedError:
    """The error for a call after close."""
    return ClientClosedError("The client is closed: make the call inside its with block.")
