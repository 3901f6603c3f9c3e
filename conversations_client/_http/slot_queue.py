"""Queues requests for the slots of a pool and assigns connections. No I/O, no clock and no locks.

A slot is in exactly one container at any time: idle slots, empty slots, or one ticket. A single
call into C code moves it from one container to another, so neither another thread nor an interrupt
(Ctrl-C, a signal handler that raises) can intervene. Any other step can be interrupted at any
point; repeating the step is harmless and completes it. If a ticket is garbage-collected while it
holds a slot, the next request reclaims the slot.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar
from weakref import ref

from conversations_client.errors import ClientClosedError

CHECK_SECONDS: Final = 5.0
"""How often a waiting request checks for the slots of responses that were never closed.

Garbage-collecting a ticket doesn't wake any request.
"""


class Signal(Protocol):
    """Something a request can wait for, such as an event."""

    def set(self) -> object:
        """Wake the waiting request; idempotent."""


ConnectionT = TypeVar("ConnectionT")
SignalT = TypeVar("SignalT", bound=Signal)


class Slot(Generic[ConnectionT]):
    """Room for one connection.

    Attributes:
        connection: The connection; None if none is open.
        expires_at: When an idle connection expires.
    """

    __slots__ = ("connection", "expires_at")

    expires_at: float

    def __init__(self) -> None:
        self.connection: ConnectionT | None = None


_Slots: TypeAlias = list[Slot[ConnectionT]] | deque[Slot[ConnectionT]]


class Ticket(Generic[ConnectionT, SignalT]):
    """A request's claim on a slot.

    Attributes:
        in_use: The slot in use, if the ticket has one.
        closing: The slot whose connection is being closed, if there is one.
        signal: Wakes the request while the ticket is in the queue.
    """

    __slots__ = ("__weakref__", "closing", "in_use", "signal")

    def __init__(self) -> None:
        self.in_use: list[Slot[ConnectionT]] = []
        self.closing: list[Slot[ConnectionT]] = []
        self.signal: SignalT | None = None

    @property
    def connection(self) -> ConnectionT | None:
        """The connection of the slot in use; None if there is none."""
        for slot in self.in_use:
            return slot.connection
        return None

    @connection.setter
    def connection(self, connection: ConnectionT | None) -> None:
        for slot in self.in_use:
            slot.connection = connection


class SlotQueue(Generic[ConnectionT, SignalT]):
    """The slots for the connections of one origin, and the requests that wait for a free slot.

    A connection has a slot even while it is idle or being closed, so there are never more
    connections than slots. The most recently used connection is used first. Requests get slots in
    the order of their arrival.

    Args:
        size: The number of slots.
        keepalive: Seconds that a connection may be idle.
        signal: Creates a signal for a waiting request.
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
        self._reuses = True

    @property
    def reuses(self) -> bool:
        """Whether a connection may be idle; if not, idle connections are stale."""
        return self._reuses

    @property
    def has_idle(self) -> bool:
        """Whether a connection is idle."""
        return bool(self._idle)

    def ticket(self) -> Ticket[ConnectionT, SignalT]:
        """A ticket without a slot; the caller must always release or vacate it."""
        ticket: Ticket[ConnectionT, SignalT] = Ticket()
        # The callback is C code. An interrupt in a Python finalizer would be lost.
        self._claims[ref(ticket, self._abandoned.append)] = (ticket.in_use, ticket.closing)
        return ticket

    def acquire(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        """Claim a slot, or join the queue.

        Returns:
            Whether the ticket has a slot. If not, wait for its signal, then call `take_turn`.

        Raises:
            ClientClosedError: The pool is closed.
        """
        self._check_open()
        if not self._waiting and self._take(ticket):
            return True
        ticket.signal = self._signal()
        self._waiting.append(ref(ticket))
        self._wake()  # a slot may have become free before the ticket joined the queue
        return False

    def take_turn(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        """Claim a slot for a ticket in the queue.

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
        self._wake()  # a slot may have become free before the new signal was assigned
        return False

    def release(self, ticket: Ticket[ConnectionT, SignalT], *, now: float) -> None:
        """Release the slot and keep its connection for reuse."""
        for slot in ticket.in_use:
            slot.expires_at = now + self._keepalive
        _move(ticket.in_use.pop, self._idle)
        self._settle(ticket)

    def is_settled(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        """Whether the ticket has been completely released or vacated."""
        return ref(ticket) not in self._claims

    def begin_closing(self, ticket: Ticket[ConnectionT, SignalT]) -> ConnectionT | None:
        """The connection to close before the slot is vacated; None if there is none."""
        _move(ticket.in_use.pop, ticket.closing)
        for slot in ticket.closing:
            return slot.connection
        return None

    def vacate(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        """Release the slot, without a connection."""
        _move(ticket.closing.pop, self._empty)
        self._settle(ticket)

    def has_stale(self, now: float) -> bool:
        """Whether there may be a connection that is not in use and can't be used again."""
        oldest = _first(self._idle)
        is_expired = oldest is not None and (not self._reuses or oldest.expires_at <= now)
        return is_expired or bool(self._abandoned)

    def take_stale(self, ticket: Ticket[ConnectionT, SignalT], now: float) -> None:
        """Claim the slot of a stale connection, if there is one.

        The caller must then close the connection and vacate the slot.
        """
        abandoned = _first(self._abandoned)
        if abandoned is None:
            oldest = _first(self._idle)
            if oldest is not None and (not self._reuses or oldest.expires_at <= now):
                _move(self._idle.popleft, ticket.in_use)
            return
        for slots in self._claims.get(abandoned, ()):
            if not ticket.in_use:
                _move(slots.pop, ticket.in_use)
        self._claims.pop(abandoned, None)
        _remove(self._abandoned, abandoned)

    def stop_reuse(self) -> None:
        """Make idle connections stale, now and in future."""
        self._reuses = False

    def close(self) -> None:
        """Refuse all waiting and later requests; idle connections become stale."""
        self.stop_reuse()
        self._closed = True
        self._wake()

    def _check_open(self) -> None:
        if self._closed:
            raise closed_error()

    def _take(self, ticket: Ticket[ConnectionT, SignalT]) -> bool:
        _move(self._idle.pop, ticket.in_use)
        if not ticket.in_use:
            _move(self._empty.pop, ticket.in_use)
            ticket.connection = None
        return bool(ticket.in_use)

    def _settle(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        self._leave_queue(ticket)
        # After an interrupt, the ticket may still have its slot.
        if not ticket.in_use and not ticket.closing:
            self._claims.pop(ref(ticket), None)

    def _leave_queue(self, ticket: Ticket[ConnectionT, SignalT]) -> None:
        if ticket.signal is not None:
            _remove(self._waiting, ref(ticket))
        self._wake()

    def _wake(self) -> None:
        """Signal the first request in the queue if it can continue."""
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
    """Move a slot, if there is one, in a single call, so that it is always in a container."""
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
    """The error for a call made after the client was closed."""
    return ClientClosedError(
        "The client is closed: its with block has ended, or the program closed it. Create a new "
        "client."
    )
