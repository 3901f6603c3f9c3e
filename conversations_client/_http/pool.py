"""Decides which request gets which connection. No I/O, no clock and no locks.

A slot is in exactly one container at any time: with the idle ones, with the empty ones, or in the
hands of one ticket. A single call of C code moves it from one container to another, so that
neither a thread nor an interrupt (Ctrl-C, a signal handler that raises) can come in between.
Everything else may be interrupted anywhere: repeating it is harmless and completes it. What a
ticket holds when it is garbage collected is found by the next request.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar
from weakref import ref

from conversations_client.errors import ClientClosedError

LOOK_SECONDS: Final = 5.0
"""How often a waiting request looks for slots of responses that nobody closed.

Their tickets are garbage collected, which wakes nobody.
"""


class Signal(Protocol):
    """What a request waits on, such as an event."""

    def set(self) -> object:
        """Wake the request that waits; again does nothing."""


ConnectionT = TypeVar("ConnectionT")
SignalT = TypeVar("SignalT", bound=Signal)


class Slot(Generic[ConnectionT]):
    """Room for one connection.

    Attributes:
        connection: The connection; None if none was opened yet.
        expires_at: When it has been idle for too long; only idle connections have it.
    """

    __slots__ = ("connection", "expires_at")

    expires_at: float

    def __init__(self) -> None:
        self.connection: ConnectionT | None = None


_Slots: TypeAlias = list[Slot[ConnectionT]] | deque[Slot[ConnectionT]]


class Ticket(Generic[ConnectionT, SignalT]):
    """A request's claim on a slot.

    Attributes:
        held: The slot in use, if the ticket has one.
        closing: The slot whose connection is being closed, if there is one.
        signal: What to wait on while the ticket is in the queue.
    """

    __slots__ = ("__weakref__", "closing", "held", "signal")

    def __init__(self) -> None:
        self.held: list[Slot[ConnectionT]] = []
        self.closing: list[Slot[ConnectionT]] = []
        self.signal: SignalT | None = None

    @property
    def connection(self) -> ConnectionT | None:
        """The connection of the slot in use; None if there is none."""
        for slot in self.held:
            return slot.connection
        return None

    @connection.setter
    def connection(self, connection: ConnectionT | None) -> None:
        for slot in self.held:
            slot.connection = connection


class Pool(Generic[ConnectionT, SignalT]):
    """The slots for the connections of one origin.

    An idle connection keeps its slot, and so does one that is being closed: there are never more
    connections than slots. The connection that was used last is used first. Requests that wait are
    served in the order in which they came, and a new one does not overtake them.

    Args:
        size: The number of slots.
        keepalive: Seconds that a connection may be idle.
        signal: Makes what a request waits on.
    """

    def __init__(self, *, size: int, keepalive: float, signal: Callable[[], SignalT]) -> None:
        self._keepalive = keepalive
        self._signal = signal
        self._idle: deque[Slot[ConnectionT]] = deque()
        self._empty: deque[Slot[ConnectionT]] = deque(Slot() for _ in range(size))
        self._waiting: deque[ref[Ticket[ConnectionT, SignalT]]] = deque()
        self._claims: dict[ref[Any], tuple[_Slots[ConnectionT], _Slots[ConnectionT]]] = {}
        self._abandoned: deque[ref[Any]] = deque()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether connections are not kept any longer."""
        return self._closed

    def ticket(self) -> Ticket[ConnectionT, SignalT]:
        """A ticket without a slot. Make it first, release it last, whatever happens in between."""
        ticket: Ticket[ConnectionT, SignalT] = Ticket()
        # The callback is C code: a finalizer in Python could be interrupted, and swallow that.
        self._claims[ref(ticket, self._abandoned.append)] = (ticket.held, ticket.closing)
        return ticket

    def acquire(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        """Claim a slot, or a place in the queue.

        Returns:
            Whether the ticket has a slot. If not, wait for its signal, then take the turn.

        Raises:
            ClientClosedError: The pool is closed.
        """
        self._check_open()
        if not self._waiting and self._take(ticket):
            return True
        ticket.signal = self._signal()
        self._waiting.append(ref(ticket))
        self._wake()  # a slot may have come free before the ticket was in the queue
        return False

    def take_turn(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        """Claim a slot for a ticket that waited.

        Returns:
            Whether the ticket has a slot. If not, wait for its signal again.

        Raises:
            ClientClosedError: The pool was closed before the ticket's turn.
        """
        self._check_open()
        if self._first_waiting() is ticket and self._take(ticket):
            self._leave_queue(ticket)
            return True
        ticket.signal = self._signal()
        self._wake()  # a slot may have come free before the signal was new
        return False

    def release(self, ticket: Ticket[ConnectionT, SignalT], *, now: float) -> None:
        """Give the slot back, with a connection that can be used again."""
        for slot in ticket.held:
            slot.expires_at = now + self._keepalive
        _move(ticket.held.pop, self._idle)
        self._settle(ticket)

    def begin_closing(self, ticket: Ticket[ConnectionT, SignalT]) -> ConnectionT | None:
        """The connection to close before the slot is vacated; None if there is none."""
        _move(ticket.held.pop, ticket.closing)
        for slot in ticket.closing:
            return slot.connection
        return None

    def vacate(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        """Give the slot back after its connection was closed, or if none was opened."""
        _move(ticket.closing.pop, self._empty)
        self._settle(ticket)

    def has_stale(self, now: float) -> bool:
        """Whether there may be a connection that nobody uses and nobody may use again."""
        oldest = _first(self._idle)
        is_expired = oldest is not None and (self._closed or oldest.expires_at <= now)
        return is_expired or bool(self._abandoned)

    def take_stale(self, ticket: Ticket[ConnectionT, SignalT], now: float) -> None:
        """Claim the slot of such a connection: close it, then vacate."""
        abandoned = _first(self._abandoned)
        if abandoned is None:
            oldest = _first(self._idle)
            if oldest is not None and (self._closed or oldest.expires_at <= now):
                _move(self._idle.popleft, ticket.held)
            return
        for slots in self._claims.get(abandoned, ()):
            if not ticket.held:
                _move(slots.pop, ticket.held)
        self._claims.pop(abandoned, None)
        _remove(self._abandoned, abandoned)

    def close(self) -> None:
        """Refuse every request that waits or comes later. All that is idle is stale from now on."""
        self._closed = True
        self._wake()

    def _check_open(self) -> None:
        if self._closed:
            raise closed_error()

    def _take(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        _move(self._idle.pop, ticket.held)
        if not ticket.held:
            _move(self._empty.pop, ticket.held)
            ticket.connection = None
        return bool(ticket.held)

    def _settle(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        self._leave_queue(ticket)
        # A ticket that was interrupted may hold its slot still.
        if not ticket.held and not ticket.closing:
            self._claims.pop(ref(ticket), None)

    def _leave_queue(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        if ticket.signal is not None:
            _remove(self._waiting, ref(ticket))
        self._wake()

    def _wake(self) -> None:
        """Signal the first request in the queue if there is something for it."""
        if self._waiting and (self._idle or self._empty or self._closed):
            first = self._first_waiting()
            if first is not None and first.signal is not None:
                first.signal.set()

    def _first_waiting(self) -> Ticket[ConnectionT, SignalT] | None:
        while (first := _first(self._waiting)) is not None:
            ticket = first()
            if ticket is not None:
                return ticket
            _remove(self._waiting, first)
        return None


T = TypeVar("T")


def _move(
    pop: Callable[[], Slot[ConnectionT]],
    target: _Slots[ConnectionT],
) -> None:
    """Move a slot, if there is one: a single call, so that it is never in neither container."""
    try:
        target.extend(islice(iter(pop, None), 1))
    except IndexError:
        return


def _first(items: deque[T]) -> T | None:
    try:
        return items[0]
    except IndexError:
        return None


def _remove(items: deque[T], item: T) -> None:
    try:
        items.remove(item)
    except ValueError:
        return


def closed_error() -> ClientClosedError:
    """The error for a call after close."""
    return ClientClosedError("The client is closed: make the call inside its with block.")
