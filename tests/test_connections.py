"""The pools of both variants over real sockets: what is reused, bounded, noticed, given back."""

import gc
import itertools
import math
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from attrs import define
from pools import AsyncFake, Driven, Fake, address_of, run, socket_of
from scripted import HALF, Parting, ScriptedServer, always, answer, refusing
from variants import Variant

from conversations_client import (
    ClientClosedError,
)
from conversations_client._http import async_pool, sync_pool
from conversations_client._http.connections.wire import WireResponse
from conversations_client._http.streams.errors import (
    ConnectError,
    PoolTimeout,
    RemoteProtocolError,
)


def is_open(response: WireResponse) -> bool:
    return bool(socket_of(response).fileno() != -1)


def test_what_was_idle_last_is_used_first(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=3)
        answers = [await driven.ask() for _ in range(3)]
        first, second, third = map(address_of, answers)
        for response in answers:
            await driven.read(response)
        assert await driven.use() == third
        again = [await driven.ask() for _ in range(3)]
        assert [address_of(response) for response in again] == [third, second, first]
        for response in again:
            await driven.end(response)
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 3


def test_a_connection_that_the_service_closed_is_not_used(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        for _ in range(3):
            await driven.use()
            server.gone.acquire()
        await driven.close()

    with Parting(always()) as server:
        run(variant, scenario)
    assert (len(server.seen), server.connections) == (3, 3)


def test_an_answer_that_ends_its_connection(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        assert await driven.use() != await driven.use()
        await driven.close()

    with Parting(itertools.repeat(answer(Connection="close"))) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_what_is_idle_for_too_long_is_closed_with_the_next_request(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=2)
        old = [await driven.ask() for _ in range(2)]
        await driven.read(old[0])
        driven.clock.now += 1
        kept = address_of(old[1])
        await driven.read(old[1])
        driven.clock.now += 4
        assert await driven.use() == kept
        assert [is_open(response) for response in old] == [False, True]
        driven.clock.now += 5
        # Both places are asked for at once, and one of them is of what has expired.
        held = [await driven.ask() for _ in range(2)]
        assert not is_open(old[1])
        for response in held:
            await driven.end(response)
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 4


def test_when_all_have_expired_the_one_that_closes_them_is_served(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        await driven.use()
        driven.clock.now += 5
        await driven.use()
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_a_body_that_is_not_read_gives_its_place_back(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        response = await driven.ask()
        await driven.end(response)
        await driven.end(response)
        assert not is_open(response)
        await driven.use()
        await driven.close()

    with ScriptedServer([HALF, answer()]) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_a_body_that_breaks_gives_its_place_back(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        response = await driven.ask()
        with pytest.raises(RemoteProtocolError):
            await driven.read(response)
        await driven.use()
        await driven.close()

    with Parting([HALF, answer()]) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_an_answer_that_nobody_closed_gives_its_place_back(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        await driven.ask()
        gc.collect()
        await driven.use()
        await driven.close()

    with ScriptedServer([HALF, answer()]) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_a_connection_that_could_not_be_made_gives_its_place_back(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, url, size=1)
        for _ in range(2):
            with pytest.raises(ConnectError):
                await driven.ask()
        await driven.close()

    with refusing() as url:
        run(variant, scenario)


def test_waiting_in_vain_gives_nothing_away(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        response = await driven.ask()
        with pytest.raises(PoolTimeout):
            await driven.ask(pool=0.01)
        await driven.read(response)
        await driven.use()
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert (len(server.seen), server.connections) == (2, 1)


def test_close_is_for_good_and_lets_what_is_under_way_end(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=2)
        idle, busy = [await driven.ask() for _ in range(2)]
        await driven.read(idle)
        await driven.close()
        assert (is_open(idle), is_open(busy)) == (False, True)
        assert await driven.read(busy)
        assert not is_open(busy)
        with pytest.raises(ClientClosedError):
            await driven.ask()
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_a_connection_that_can_not_be_closed(variant: Variant) -> None:
    fake = Fake if variant.name == "sync" else AsyncFake
    fakes = [fake(b"one"), fake(b"two")]

    async def scenario() -> None:
        driven = Driven(variant, "http://x", size=1, connect=iter(fakes).__next__)
        assert await driven.read(await driven.ask()) == b"one"
        # Its stream has nothing to close, and closing the connection fails: nobody need know.
        response = await driven.ask()
        await driven.end(response)

    run(variant, scenario)
    assert [fake.closed for fake in fakes] == [1, 1]


def test_who_waits_is_served_when_what_is_waited_for_was_forgotten(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = (sync_pool, async_pool)
    for module in modules:
        monkeypatch.setattr(module, "CHECK_SECONDS", 0.01)

    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        held = [await driven.ask()]
        signal = driven.pool._slots._signal
        driven.pool._slots._signal = lambda: Forgetting(held, signal())
        # Nobody but the one that waits is there to look for the place that is free.
        response = await driven.ask(pool=math.inf)
        await driven.read(response)
        await driven.close()

    with ScriptedServer([HALF, answer()]) as server:
        if variant.name == "sync":
            run(variant, scenario)
        else:
            anyio.run(scenario, backend=variant.name)
    assert server.connections == 2


class Forgetting:
    """What a request waits on; while it does, nobody holds an answer any more."""

    def __init__(self, held: list[WireResponse], signal: Any) -> None:
        self._held = held
        self._signal = signal
        self.set = signal.set

    def wait(self, seconds: float) -> Any:
        self._forget()
        return self._signal.wait(seconds)

    def wait_for(self, seconds: float) -> Any:
        self._forget()
        return self._signal.wait_for(seconds)

    def _forget(self) -> None:
        if self._held:
            self._held.clear()
            gc.collect()


# Threads.


def test_many_threads_share_few_connections() -> None:
    start = threading.Barrier(16)
    given: list[bytes] = []

    def work() -> None:
        start.wait(timeout=60)
        for _ in range(5):
            response = driven.pool.send(driven.request())
            given.append(b"".join(response.body))

    with ScriptedServer(always()) as server:
        driven = Driven(Variant("sync"), server.url, size=3)
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        driven.pool.close()
    assert len(given) == len(server.seen) == 80
    assert server.connections <= 3


class Queueing:
    """Threads that ask one after the other, each when the one before waits for a place."""

    def __init__(self, driven: Driven) -> None:
        self._driven = driven
        self._waits = threading.Semaphore(0)
        driven.pool._slots._signal = self._signal
        self._threads: list[threading.Thread] = []
        self.served: list[int] = []
        self.refused: list[ClientClosedError] = []

    def _signal(self) -> threading.Event:
        self._waits.release()
        return threading.Event()

    def add(self) -> None:
        number = len(self._threads)
        self._threads.append(threading.Thread(target=self._ask, args=(number,)))
        self._threads[-1].start()
        self._waits.acquire()

    def _ask(self, number: int) -> None:
        try:
            response = self._driven.pool.send(self._driven.request())
        except ClientClosedError as error:
            self.refused.append(error)
            return
        self.served.append(number)
        response.body.close()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def test_threads_that_wait_are_served_in_the_order_of_coming() -> None:
    with ScriptedServer(always()) as server:
        driven = Driven(Variant("sync"), server.url, size=1)
        held = driven.pool.send(driven.request())
        queue = Queueing(driven)
        for _ in range(5):
            queue.add()
        held.body.close()
        queue.join()
        driven.pool.close()
    assert queue.served == [0, 1, 2, 3, 4]


def test_threads_that_wait_are_refused_when_the_client_is_closed() -> None:
    with ScriptedServer(always()) as server:
        driven = Driven(Variant("sync"), server.url, size=1)
        held = driven.pool.send(driven.request())
        queue = Queueing(driven)
        for _ in range(2):
            queue.add()
        driven.pool.close()
        queue.join()
        held.body.close()
    assert (queue.served, len(queue.refused)) == ([], 2)


@define
class Interrupting:
    """Waits as long as `meanwhile` takes, then is interrupted at the keyboard."""

    meanwhile: Callable[[], Any]

    def set(self) -> None:
        pass

    def wait(self, timeout: float | None) -> None:
        self.meanwhile()
        raise KeyboardInterrupt


@pytest.mark.parametrize("served", [False, True])
def test_a_thread_interrupted_while_it_waits_gives_up_its_turn(served: bool) -> None:
    with ScriptedServer(always()) as server:
        driven = Driven(Variant("sync"), server.url, size=1)
        held = driven.pool.send(driven.request())
        meanwhile = held.body.close if served else lambda: None
        driven.pool._slots._signal = lambda: Interrupting(meanwhile)
        with pytest.raises(KeyboardInterrupt):
            driven.pool.send(driven.request())
        driven.pool._slots._signal = threading.Event
        held.body.close()
        driven.pool.send(driven.request()).body.close()
        driven.pool.close()
    assert len(server.seen) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_connection_that_does_not_close_is_left(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(AsyncFake):
        async def aclose(self) -> None:
            self.closed += 1
            await anyio.sleep(30)

    monkeypatch.setattr(async_pool, "CLOSING_SECONDS", 0.01)
    fakes = [Stuck(RemoteProtocolError("no")), Stuck(b"")]
    made = iter(fakes)

    async def scenario() -> None:
        driven = Driven(Variant(backend), "http://127.0.0.1:1", size=1, connect=lambda: next(made))
        with anyio.fail_after(20):
            with pytest.raises(RemoteProtocolError):
                await driven.ask()
            await driven.end(await driven.ask())
            await driven.close()

    anyio.run(scenario, backend=backend)
    assert [fake.closed for fake in fakes] == [1, 1]
