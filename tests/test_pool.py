"""The bookkeeping of a pool compared with a simple model."""

import gc
from typing import Any

import anyio
import pytest
from attrs import define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pools import Driven, run
from scripted import ScriptedServer, always
from variants import Variant

from conversations_client import ClientClosedError
from conversations_client._http.slot_queue import Slot, SlotQueue, Ticket
from conversations_client._http.streams.errors import PoolTimeout

KEEPALIVE = 5.0
CHOICE = st.integers(0, 9)


@define(eq=False)
class Bell:
    rung: bool = False

    def set(self) -> None:
        self.rung = True


def pool_of(size: int) -> SlotQueue[int, Bell]:
    return SlotQueue(size=size, keepalive=KEEPALIVE, signal=Bell)


def acquired(pool: SlotQueue[int, Bell]) -> Ticket[int, Bell]:
    ticket = pool.ticket()
    pool.acquire(ticket)
    return ticket


class PoolMachine(RuleBasedStateMachine):
    """Makes random calls of a pool and compares it with a model."""

    @initialize(size=st.integers(1, 4))
    def start(self, size: int) -> None:
        self.size = size
        self.now = 0.0
        self.made = 0
        self.closed = False
        self.pool = pool_of(size)
        self.idle: list[tuple[float, int]] = []
        self.held: list[Ticket[int, Bell]] = []
        self.waiting: list[Ticket[int, Bell]] = []
        self.abandoned: list[int | None] = []

    @rule()
    def acquire(self) -> None:
        ticket = self.pool.ticket()
        if self.closed:
            with pytest.raises(ClientClosedError):
                self.pool.acquire(ticket)
            return
        queued = bool(self.waiting) or self._is_full()
        assert self.pool.acquire(ticket) is not queued
        if queued:
            self.waiting.append(ticket)
        else:
            self._check_taken(ticket)

    @precondition(lambda self: self.waiting)
    @rule(choice=CHOICE)
    def take_turn(self, choice: int) -> None:
        number = choice % len(self.waiting)
        ticket = self.waiting[number]
        if self.closed:
            with pytest.raises(ClientClosedError):
                self.pool.take_turn(ticket)
            return
        served = number == 0 and not self._is_full()
        assert self.pool.take_turn(ticket) is served
        if served:
            self.waiting.pop(0)
            self._check_taken(ticket)

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE)
    def connect(self, choice: int) -> None:
        self.made += 1
        self.held[choice % len(self.held)].connection = self.made

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE, times=st.integers(1, 2))
    def release(self, choice: int, times: int) -> None:
        ticket = self.held.pop(choice % len(self.held))
        connection = ticket.connection
        for _ in range(times):
            if connection is None:
                self._close_connection(ticket, None)
            else:
                self.pool.release(ticket, now=self.now)
        if connection is not None:
            self.idle.append((self.now + KEEPALIVE, connection))

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE, times=st.integers(1, 2))
    def discard(self, choice: int, times: int) -> None:
        ticket = self.held.pop(choice % len(self.held))
        connection = ticket.connection
        for _ in range(times):
            self._close_connection(ticket, connection)
            connection = None

    @precondition(lambda self: self.held)
    @rule(choice=CHOICE, closing=st.booleans())
    def abandon(self, choice: int, closing: bool) -> None:
        ticket = self.held.pop(choice % len(self.held))
        self.abandoned.append(ticket.connection)
        if closing:
            self.pool.begin_closing(ticket)

    @precondition(lambda self: self.waiting)
    @rule(choice=CHOICE, silently=st.booleans())
    def give_up(self, choice: int, silently: bool) -> None:
        ticket = self.waiting.pop(choice % len(self.waiting))
        if silently:
            # As after an interrupt before the request left the queue; the next request is woken later.
            del ticket
            self.pool.vacate(self.pool.ticket())
        else:
            self.pool.vacate(ticket)

    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0, 5.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def close_stale(self) -> None:
        stale = [name for until, name in self.idle if until <= self.now or self.closed]
        found: list[int | None] = []
        while self.pool.has_stale(self.now):
            ticket = self.pool.ticket()
            self.pool.take_stale(ticket, self.now)
            if ticket.in_use:  # unless it was abandoned while it waited
                found.append(ticket.connection)
            self._close_connection(ticket, ticket.connection)
        assert found == self.abandoned + stale
        self.abandoned.clear()
        self.idle = [(until, name) for until, name in self.idle if name not in stale]

    # Rarely, because it ends most of the activity.
    @precondition(lambda self: self.made > 6)
    @rule()
    def close(self) -> None:
        self.closed = True
        self.pool.close()

    @invariant()
    def there_are_never_more_connections_than_slots(self) -> None:
        assert len(self.held) + len(self.idle) + len(self.abandoned) <= self.size

    @invariant()
    def the_first_that_waits_is_woken_if_there_is_something_for_it(self) -> None:
        if self.waiting and (self.closed or not self._is_full()):
            signal = self.waiting[0].signal
            assert signal is not None
            assert signal.rung

    def teardown(self) -> None:
        if self.closed:
            return
        self.close_stale()
        for ticket in self.waiting:
            self.pool.vacate(ticket)
        for ticket in self.held:
            self._close_connection(ticket, ticket.connection)
        again = [acquired(self.pool) for _ in range(self.size + 1)]
        assert [bool(ticket.in_use) for ticket in again] == [True] * self.size + [False]

    def _is_full(self) -> bool:
        return len(self.held) + len(self.abandoned) == self.size

    def _check_taken(self, ticket: Ticket[int, Bell]) -> None:
        assert ticket.connection == (self.idle.pop()[1] if self.idle else None)
        self.held.append(ticket)

    def _close_connection(self, ticket: Ticket[int, Bell], connection: int | None) -> None:
        assert self.pool.begin_closing(ticket) == connection
        self.pool.vacate(ticket)


TestPool = PoolMachine.TestCase
TestPool.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_a_ticket_in_a_reference_cycle_is_reclaimed_by_the_garbage_collector() -> None:
    pool = pool_of(1)
    cycle: list[object] = [acquired(pool)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert pool.has_stale(0.0)
    found = pool.ticket()
    pool.take_stale(found, 0.0)
    assert len(found.in_use) == 1


def test_a_ticket_that_was_released_leaves_nothing_behind() -> None:
    pool = pool_of(1)
    for _ in range(3):
        ticket = acquired(pool)
        ticket.connection = 1
        pool.release(ticket, now=0.0)
        del ticket
    assert not pool.has_stale(0.0)
    assert pool._claims == {}


def test_a_connection_closed_by_another_thread_is_not_stale() -> None:
    pool = pool_of(1)
    ticket = pool.ticket()
    pool.take_stale(ticket, 0.0)
    assert ticket.in_use == []


def test_a_slot_that_was_released_incompletely_is_found() -> None:
    pool = pool_of(1)
    ticket = acquired(pool)
    pool.vacate(ticket)  # without closing, as after an interrupt
    assert len(ticket.in_use) == 1
    del ticket
    assert pool.has_stale(0.0)


def test_an_abandoned_ticket_is_forgotten_once_its_slot_is_found() -> None:
    pool = pool_of(1)
    acquired(pool)
    finder = pool.ticket()
    pool.take_stale(finder, 0.0)
    pool.begin_closing(finder)
    pool.vacate(finder)
    assert (pool._claims, pool.has_stale(0.0)) == ({}, False)


def test_an_idle_connection_is_stale_when_its_time_is_up() -> None:
    pool = pool_of(1)
    ticket, finder = acquired(pool), pool.ticket()
    ticket.connection = 7
    assert ticket.connection == 7
    had_idle = pool.has_idle
    pool.release(ticket, now=1.0)
    assert (had_idle, pool.has_idle) == (False, True)
    for now in (1.0, 5.9):
        assert not pool.has_stale(now)
        pool.take_stale(finder, now)
        assert finder.connection is None
    assert pool.has_stale(6.0)
    pool.take_stale(finder, 6.0)
    assert finder.connection == 7


def test_a_closed_pool_has_no_slot() -> None:
    pool = pool_of(1)
    pool.close()
    with pytest.raises(ClientClosedError):
        pool.acquire(pool.ticket())


def test_a_new_slot_has_no_connection() -> None:
    # An interrupt may come right after the slot was acquired.
    ticket: Ticket[int, Bell] = Ticket()
    ticket.in_use.append(Slot())
    assert ticket.connection is None


def test_a_slot_released_while_a_request_joins_the_queue_wakes_it() -> None:
    pool = pool_of(1)
    held = acquired(pool)
    pool._signal = lambda: bell_after(pool, held)
    waiting = acquired(pool)
    assert (rung(waiting), pool.take_turn(waiting)) == (True, True)


def test_a_slot_released_while_a_request_waits_again_wakes_it() -> None:
    pool = pool_of(1)
    held, waiting = acquired(pool), acquired(pool)
    pool._signal = lambda: bell_after(pool, held)
    assert not pool.take_turn(waiting)
    assert (rung(waiting), pool.take_turn(waiting)) == (True, True)


def bell_after(pool: SlotQueue[int, Bell], held: Ticket[int, Bell]) -> Bell:
    """A new signal, created while another request ends."""
    pool.begin_closing(held)
    pool.vacate(held)
    return Bell()


def rung(ticket: Ticket[int, Bell]) -> bool:
    assert ticket.signal is not None
    return ticket.signal.rung


def test_each_request_that_has_its_turn_wakes_the_next_one() -> None:
    pool = pool_of(2)
    held = [acquired(pool), acquired(pool)]
    first, second = acquired(pool), acquired(pool)
    for ticket in held:
        pool.begin_closing(ticket)
        pool.vacate(ticket)
    assert (rung(first), rung(second)) == (True, False)
    assert pool.take_turn(first)
    assert (rung(second), pool.take_turn(second)) == (True, True)


def test_a_request_that_gives_up_is_not_waited_for() -> None:
    pool = pool_of(1)
    held, first, second = acquired(pool), acquired(pool), acquired(pool)
    pool.vacate(first)
    pool.begin_closing(held)
    pool.vacate(held)
    assert (rung(first), rung(second)) == (False, True)


def test_a_waiting_request_that_is_gone_is_skipped() -> None:
    # As after an interrupt before the request left the queue.
    pool = pool_of(1)
    held, first, second = acquired(pool), acquired(pool), acquired(pool)
    del first
    pool.begin_closing(held)
    pool.vacate(held)
    assert (rung(second), pool.take_turn(second)) == (True, True)


def test_a_queue_of_requests_that_are_gone_is_empty() -> None:
    pool = pool_of(1)
    held, waiting = acquired(pool), acquired(pool)
    del waiting
    pool.begin_closing(held)
    pool.vacate(held)
    assert len(acquired(pool).in_use) == 1


def test_closing_wakes_each_request_that_waits() -> None:
    pool = pool_of(1)
    held, first, second = acquired(pool), acquired(pool), acquired(pool)
    before = pool.reuses
    pool.close()
    assert (before, pool.reuses) == (True, False)
    for ticket in (first, second):
        assert rung(ticket)
        with pytest.raises(ClientClosedError):
            pool.take_turn(ticket)
        pool.vacate(ticket)
    assert held.in_use


def test_a_request_that_is_woken_spuriously_waits_again(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        make = driven.pool._slots._signal
        signals: list[Any] = []

        def signal() -> Any:
            signals.append(make())
            if len(signals) == 1:
                signals[0].set()
            return signals[-1]

        driven.pool._slots._signal = signal
        held = await driven.ask()
        with pytest.raises(PoolTimeout):
            await driven.ask(pool=0.01)
        assert len(signals) > 1
        await driven.end(held)
        await driven.close()

    with ScriptedServer(always()) as server:
        if variant.name == "sync":
            run(variant, scenario)
        else:
            anyio.run(scenario, backend=variant.name)


def test_a_pool_has_no_more_slots_than_a_machine_has_ports(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, "http://127.0.0.1:1", size=2**20)
        assert len(driven.pool._slots._empty) == 2**16

    run(variant, scenario)
