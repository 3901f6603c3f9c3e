"""Sync and async pools over real sockets: reuse, limits, closed connections and released slots."""

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
from scripted import HALF, ClosingServer, ScriptedServer, always, answer, refused_url
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


def test_the_most_recently_used_connection_is_used_first(variant: Variant) -> None:
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

    with ClosingServer(always()) as server:
        run(variant, scenario)
    assert (len(server.seen), server.connections) == (3, 3)


def test_a_response_that_closes_its_connection(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        assert await driven.use() != await driven.use()
        await driven.close()

    with ClosingServer(itertools.repeat(answer(Connection="close"))) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_expired_connections_are_closed_at_the_next_request(variant: Variant) -> None:
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
        # Both slots are requested together, and one of them has an expired connection.
        held = [await driven.ask() for _ in range(2)]
        assert not is_open(old[1])
        for response in held:
            await driven.end(response)
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 4


def test_a_request_is_served_when_all_connections_have_expired(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        await driven.use()
        driven.clock.now += 5
        await driven.use()
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_an_unread_body_releases_its_slot(variant: Variant) -> None:
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


def test_a_broken_body_releases_its_slot(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        response = await driven.ask()
        with pytest.raises(RemoteProtocolError):
            await driven.read(response)
        await driven.use()
        await driven.close()

    with ClosingServer([HALF, answer()]) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_an_unclosed_response_releases_its_slot(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        await driven.ask()
        gc.collect()
        await driven.use()
        await driven.close()

    with ScriptedServer([HALF, answer()]) as server:
        run(variant, scenario)
    assert server.connections == 2


def test_closing_a_body_again_does_not_disturb_the_next_response(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1)
        first = await driven.ask()
        content = await driven.read(first)
        second = await driven.ask()
        await driven.end(first)
        assert await driven.read(second) == content
        await driven.use()
        await driven.close()

    with ScriptedServer(always()) as server:
        run(variant, scenario)
    assert server.connections == 1


def test_a_failed_connection_releases_its_slot(variant: Variant) -> None:
    async def scenario() -> None:
        driven = Driven(variant, url, size=1)
        for _ in range(2):
            with pytest.raises(ConnectError):
                await driven.ask()
        await driven.close()

    with refused_url() as url:
        run(variant, scenario)


def test_a_timed_out_wait_leaks_no_slot(variant: Variant) -> None:
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


def test_close_is_final_and_lets_running_calls_end(variant: Variant) -> None:
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


def test_a_connection_that_cannot_be_closed(variant: Variant) -> None:
    fake = Fake if variant.name == "sync" else AsyncFake
    fakes = [fake(b"one"), fake(b"two")]

    async def scenario() -> None:
        driven = Driven(variant, "http://x", size=1, connect=iter(fakes).__next__)
        assert await driven.read(await driven.ask()) == b"one"
        # Closing the connection fails, which is ignored.
        response = await driven.ask()
        await driven.end(response)

    run(variant, scenario)
    assert [fake.closed for fake in fakes] == [1, 1]


def test_a_waiting_request_gets_the_slot_of_an_abandoned_response(
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
        # Only the waiting request can look for the free slot.
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
    """A signal that drops the last reference to a response while a request waits."""

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
    """Threads that start one after another, each when the previous one waits for a slot."""

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


def test_waiting_threads_are_served_in_order() -> None:
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


def test_waiting_threads_fail_when_the_client_is_closed() -> None:
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
    """Runs `meanwhile` as its wait, then raises KeyboardInterrupt."""

    meanwhile: Callable[[], Any]

    def set(self) -> None:
        pass

    def wait(self, timeout: float | None) -> None:
        self.meanwhile()
        raise KeyboardInterrupt


@pytest.mark.parametrize("served", [False, True])
def test_an_interrupted_waiting_thread_gives_up_its_turn(served: bool) -> None:
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
    fakes: list[Any] = [Stuck(RemoteProtocolError("no")), Stuck(b"")]
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
