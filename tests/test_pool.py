"""The bookkeeping of a pool, against a model that a reader can see is right."""

import pytest
from attrs import define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from conversations_client import ClientClosedError
from conversations_client._http.pool import Pool, Ticket

KEEPALIVE = 5.0
CHOICE = st.integers(0, 9)


@define(eq=False)
class Bell:
    rung: bool = False

    def set(self) -> None:
        assert not self.rung
        self.rung = True


class PoolMachine(RuleBasedStateMachine):
    """Does at random what the two pools do, in any order, and keeps its own books."""

    @initialize(size=st.integers(1, 4))
    def start(self, size: int) -> None:
        self.size = size
        self.now = 0.0
        self.made = 0
        self.closed = False
        self.pool: Pool[int, Bell] = Pool(size=size, keepalive=KEEPALIVE, signal=Bell)
        self.idle: list[tuple[float, int]] = []
        self.held: list[Ticket[int, Bell]] = []
        self.waiting: list[Ticket[int, Bell]] = []

    @rule()
    def acquire(self) -> None:
        if self.closed:
            with pytest.raises(ClientClosedError):
                self.pool.acquire()
            return
        ticket = self.pool.acquire()
        full = len(self.held) + len(self.idle) == self.size
        if self.idle:
            assert (ticket.granted, ticket.connection) == (True, self.idle.pop()[1])
        else:
            assert (ticket.granted, ticket.connection) == (not full, None)
        assert (ticket.signal is None) is ticket.granted
        (self.held if ticket.granted else self.waiting).append(ticket)

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def connect(self, choice: int) -> None:
        self.made += 1
        self.held[choice % len(self.held)].connection = self.made

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def release(self, choice: int) -> None:
        ticket = self.held.pop(choice % len(self.held))
        connection = ticket.connection
        left_over = self.pool.release(ticket, now=self.now)
        assert left_over == (connection if self.closed else None)
        if not self._next_is_served(connection) and connection is not None and not self.closed:
            self.idle.append((self.now + KEEPALIVE, connection))

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def vacate(self, choice: int) -> None:
        self.pool.vacate(self.held.pop(choice % len(self.held)))
        self._next_is_served(None)

    @precondition(lambda self: self.waiting)
    @rule(choice=CHOICE)
    def withdraw(self, choice: int) -> None:
        ticket = self.waiting.pop(choice % len(self.waiting))
        self.pool.withdraw(ticket)
        assert not ticket.granted

    @precondition(lambda self: self.waiting)
    @rule(choice=CHOICE)
    def wait_in_vain(self, choice: int) -> None:
        assert not self.pool.turn_came(self.waiting.pop(choice % len(self.waiting)))

    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0, 5.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def expire(self) -> None:
        gone = self.pool.expired(self.now)
        stale = [connection for until, connection in self.idle if until <= self.now]
        assert [ticket.connection for ticket in gone] == stale
        self._to_be_closed(gone)

    # Seldom, for little comes after it.
    @precondition(lambda self: self.made > 6)
    @rule()
    def close(self) -> None:
        self.closed = True
        left = self.pool.close()
        assert [ticket.connection for ticket in left] == [connection for _, connection in self.idle]
        self._to_be_closed(left)
        for ticket in self.waiting:
            assert ticket.signal is not None
            assert ticket.signal.rung
            with pytest.raises(ClientClosedError):
                self.pool.turn_came(ticket)
        self.waiting.clear()

    @invariant()
    def there_are_never_more_connections_than_places(self) -> None:
        assert len(self.held) + len(self.idle) <= self.size

    @invariant()
    def nobody_waits_while_there_is_a_place(self) -> None:
        if self.waiting:
            assert len(self.held) == self.size

    @invariant()
    def who_waits_is_told_when_served_and_not_before(self) -> None:
        for ticket in self.waiting:
            assert not ticket.granted
            assert ticket.signal is not None
            assert not ticket.signal.rung

    def teardown(self) -> None:
        if self.closed:
            return
        for ticket in self.waiting:
            self.pool.withdraw(ticket)
        for ticket in self.held:
            self.pool.vacate(ticket)
        again = [self.pool.acquire() for _ in range(self.size + 1)]
        assert [ticket.granted for ticket in again] == [True] * self.size + [False]

    def _next_is_served(self, connection: int | None) -> bool:
        if not self.waiting:
            return False
        ticket = self.waiting.pop(0)
        assert (ticket.granted, ticket.connection) == (True, connection)
        assert ticket.signal is not None
        assert ticket.signal.rung
        assert self.pool.turn_came(ticket)
        self.held.append(ticket)
        return True

    def _to_be_closed(self, tickets: list[Ticket[int, Bell]]) -> None:
        assert all(ticket.granted for ticket in tickets)
        closing = {ticket.connection for ticket in tickets}
        self.idle = [(until, name) for until, name in self.idle if name not in closing]
        self.held += tickets


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
