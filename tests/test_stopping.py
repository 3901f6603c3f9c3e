"""Pauses end when the client is closed or the outcomes are stopped, from anywhere."""

import contextlib
import itertools
import select
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from attrs import define, field
from interrupt_points import LIMIT_SECONDS, Tracer, few, time_limit
from pools import either
from scripted import ScriptedServer, answer
from variants import KEY, VARIANTS, Variant, World

from conversations_client import (
    AsyncClient,
    AuthenticationError,
    Client,
    ClientClosedError,
    Created,
    CreateRequest,
    Deleted,
    Delivery,
    Failed,
    RateLimitError,
    Retrieved,
    Retry,
    ServerError,
)
from conversations_client._base.wakeup import Wakeup, Wakeups
from conversations_client._engine.environment import Environment
from conversations_client._http.streams.readiness import READABLE, is_ready

LIMIT = 30.0
HOUR = "3600"
THROTTLED = answer(429, {}, retry_after=HOUR)
FAILED = answer(500, {}, retry_after=HOUR)
SUCCESS = {"create_many": answer(), "retrieve_many": answer(200), "delete_many": answer(204, b"")}
CLASSES = {"create_many": Created, "retrieve_many": Retrieved, "delete_many": Deleted}
PATIENT: dict[str, Any] = {"timeout": None, "retry": Retry(retry_after_max=3600)}
ITEMS: dict[str, list[Any]] = {
    "create_many": [{}, {}, {}],
    "retrieve_many": ["conv_0", "conv_1", "conv_2"],
    "delete_many": ["conv_0", "conv_1", "conv_2"],
}
METHODS = pytest.mark.parametrize("method", ITEMS)


@define
class Pauses(World):
    """Real pauses, which are announced."""

    begun: threading.Event = field(factory=threading.Event)

    def environment(self) -> Environment:
        return Environment(sleep=self._sleep, sleep_async=self._sleep_async)

    def _sleep(self, seconds: float, wakeup: Any) -> None:
        self.begun.set()
        wakeup.wait(seconds)

    async def _sleep_async(self, seconds: float, wakeup: Any) -> None:
        self.begun.set()
        await wakeup.wait(seconds)


class Handler:
    """Runs a function in a signal handler of the main thread."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def __enter__(self) -> None:
        def handle(_number: int, _frame: object) -> None:
            self._function()

        self._before = signal.signal(signal.SIGUSR1, handle)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGUSR1, self._before)


def signal_main_thread() -> None:
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGUSR1)


@contextlib.contextmanager
def in_a_thread(begun: threading.Event, action: Callable[[], object]) -> Generator[None]:
    """Run an action in another thread as soon as a pause begins."""
    thread = threading.Thread(target=lambda: begun.wait(LIMIT) and action(), daemon=True)
    thread.start()
    yield
    thread.join(LIMIT)
    assert not thread.is_alive()


def sync(pauses: Pauses, origin: str, work: Callable[[], Any], action: Callable[[], Any]) -> Any:
    """Do the work, and the action during its first pause."""
    trigger = signal_main_thread if origin == "signal" else action
    with time_limit(LIMIT), Handler(action), in_a_thread(pauses.begun, trigger):
        return work()


async def asynchronous(
    pauses: Pauses, origin: str, work: Callable[[], Any], action: Callable[[], Any]
) -> Any:
    """The same on an event loop."""

    async def act() -> None:
        await anyio.to_thread.run_sync(pauses.begun.wait, LIMIT)
        if origin == "thread":
            await anyio.to_thread.run_sync(action)
        elif origin == "signal":
            with Handler(action):
                signal.raise_signal(signal.SIGUSR1)
        else:
            await either(action())

    with anyio.fail_after(LIMIT):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(act)
            return await work()


def outcomes_of(
    variant: Variant,
    method: str,
    script: Any,
    *,
    origin: str = "thread",
    action: str = "stop",
    pauses: Pauses | None = None,
    items: Any = None,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> list[Any]:
    """The outcomes if the iteration is stopped, or the client closed, during its first pause.

    An exception that the iteration raises is the last one.
    """
    pauses, found = pauses or Pauses(), list[Any]()
    items = ITEMS[method] if items is None else items

    def acting(client: Any, outcomes: Any) -> Callable[[], Any]:
        return outcomes.stop if action == "stop" else closing(client)

    def iterate(outcomes: Any) -> list[Any]:
        try:
            found.extend(outcomes)
        except ClientClosedError as error:
            found.append(error)
        return found

    async def iterate_async(outcomes: Any) -> list[Any]:
        try:
            async for outcome in outcomes:
                found.append(outcome)
        except ClientClosedError as error:
            found.append(error)
        return found

    def sync_scenario(client: Any) -> Any:
        with getattr(client.conversations, method)(items, **options) as outcomes:
            return sync(pauses, origin, lambda: iterate(outcomes), acting(client, outcomes))

    async def async_scenario(client: Any) -> Any:
        async with getattr(client.conversations, method)(items, **options) as outcomes:
            return await asynchronous(
                pauses, origin, lambda: iterate_async(outcomes), acting(client, outcomes)
            )

    scenario = sync_scenario if variant.name == "sync" else async_scenario
    with ScriptedServer(script) as server:
        arguments = {"api_key": KEY, "base_url": server.url, **PATIENT, **(client or {})}
        variant.run(scenario, world=pauses, **arguments)
    return found


def closing(client: Any) -> Callable[[], Any]:
    close: Callable[[], Any] = client.close if hasattr(client, "close") else client.aclose
    return close


def result_of(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of work that never suspends."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


ORIGINS = pytest.mark.parametrize(
    ("variant", "origin"),
    [
        (Variant(name), origin)
        for name in VARIANTS
        for origin in ("thread", "signal", "task")
        if (name, origin) != ("sync", "task")
    ],
    ids=str,
)

# Closing the client.


def create(client: Any) -> Any:
    return client.conversations.create()


def delete(client: Any) -> Any:
    return client.conversations.delete("conv_1")


def reply(client: Any) -> Any:
    return client.conversations.responses.create("conv_1", message="Hi", model="a/b")


def listed(client: Any) -> Any:
    listing = client.conversations.list()
    return list(listing) if isinstance(client, Client) else listed_async(listing)


async def listed_async(listing: Any) -> list[Any]:
    return [each async for each in listing]


@pytest.mark.parametrize(
    ("call", "response", "delivery"),
    [
        (create, THROTTLED, Delivery.REFUSED),
        (reply, THROTTLED, Delivery.REFUSED),
        (listed, THROTTLED, Delivery.REFUSED),
        (delete, FAILED, Delivery.UNKNOWN),
    ],
    ids=["create", "reply", "list", "delete"],
)
@pytest.mark.parametrize("is_injected", [False, True])
def test_closing_the_client_ends_the_pause_of_a_call(
    variant: Variant, call: Any, response: bytes, delivery: Delivery, *, is_injected: bool
) -> None:
    pauses, is_sync = Pauses(), variant.name == "sync"

    async def failing(client: Any) -> ClientClosedError:
        with pytest.raises(ClientClosedError) as raised:
            await either(call(client))
        if is_injected:
            await either(closing(injected)())
        return raised.value

    def sync_scenario(client: Any) -> Any:
        return sync(pauses, "thread", lambda: result_of(failing(client)), client.close)

    async def async_scenario(client: Any) -> Any:
        return await asynchronous(pauses, "task", lambda: failing(client), client.aclose)

    injected: Any = (httpx.Client() if is_sync else httpx.AsyncClient()) if is_injected else None
    options = {**PATIENT, "http_client": injected}
    scenario = sync_scenario if is_sync else async_scenario
    with ScriptedServer([response]) as server:
        error = variant.run(scenario, world=pauses, api_key=KEY, base_url=server.url, **options)
    assert len(server.seen) == 1
    assert (error.attempts, error.delivery) == (1, delivery)
    assert error.may_have_acted is (delivery is Delivery.UNKNOWN)
    assert error.method == server.seen[0].method


def test_a_signal_handler_can_close_the_client_during_a_pause() -> None:
    pauses = Pauses()
    with ScriptedServer([THROTTLED]) as server:
        client = Client(KEY, base_url=server.url, **PATIENT)
        client._environment = pauses.environment()
        with pytest.raises(ClientClosedError):
            sync(pauses, "signal", lambda: create(client), client.close)


@METHODS
def test_closing_the_client_ends_the_pause_of_a_bulk_call(variant: Variant, method: str) -> None:
    origin = "thread" if variant.name == "sync" else "task"
    script = [SUCCESS[method], THROTTLED]
    found = outcomes_of(variant, method, script, origin=origin, action="close", max_in_flight=1)
    assert [type(each) for each in found] == [CLASSES[method], Failed, ClientClosedError]
    assert type(found[1].error) is RateLimitError


def test_closing_the_client_ends_the_pause_of_a_call_in_flight(variant: Variant) -> None:
    origin = "thread" if variant.name == "sync" else "task"
    found = outcomes_of(
        variant, "delete_many", [FAILED], origin=origin, action="close", items=["a"]
    )
    assert [type(each) for each in found] == [Failed, ClientClosedError]
    assert type(found[0].error) is ClientClosedError
    assert (found[0].error.attempts, found[0].may_have_acted) == (1, True)


def test_a_client_that_was_closed_before_its_first_call_does_not_wait(variant: Variant) -> None:
    world = World()

    def throttle(url: str) -> None:
        with Client(KEY, base_url=url, retry=Retry(attempts=1)) as client:
            client._environment = World().environment()
            with client.conversations.create_many([{}]) as outcomes:
                list(outcomes)

    def sync_scenario(client: Any) -> None:
        client.close()
        with client.conversations.create_many([{}]) as outcomes:
            list(outcomes)

    async def async_scenario(client: Any) -> None:
        await client.aclose()
        async with client.conversations.create_many([{}]) as outcomes:
            [each async for each in outcomes]

    with ScriptedServer([answer(429, {}, retry_after="9")]) as server:
        keeping = Client(KEY, base_url=server.url)  # the shared backoff
        assert keeping.conversations is not None
        throttle(server.url)
        with pytest.raises(ClientClosedError):
            variant.run(
                sync_scenario if variant.name == "sync" else async_scenario,
                world=world,
                api_key=KEY,
                base_url=server.url,
            )
    assert world.pauses == []


def test_pauses_leave_nothing_in_the_client(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        await either(create(client))
        assert not client._connections.closing._waiting

    def sync_scenario(client: Any) -> None:
        result_of(scenario(client))

    script = [answer(429, {}), answer(429, {}), answer()]
    run = sync_scenario if variant.name == "sync" else scenario
    with ScriptedServer(script) as server:
        variant.run(run, world=World(), api_key=KEY, base_url=server.url)
    assert len(server.seen) == 3


# Stopping.


@ORIGINS
def test_stop_ends_a_pause_of_all_calls(variant: Variant, origin: str) -> None:
    items = iter(ITEMS["create_many"])
    script = [answer(), THROTTLED]
    found = outcomes_of(variant, "create_many", script, origin=origin, items=items, max_in_flight=1)
    assert [type(each) for each in found] == [Created, Failed]
    error = found[1].error
    assert (type(error), error.attempts, error.may_have_acted) == (RateLimitError, 1, False)
    assert len(list(items)) == 1


@pytest.mark.parametrize("method", ["retrieve_many", "delete_many"])
@ORIGINS
def test_stop_ends_the_pause_of_a_call_in_flight(
    variant: Variant, origin: str, method: str
) -> None:
    found = outcomes_of(variant, method, [FAILED], origin=origin, max_in_flight=1)
    assert [type(each) for each in found] == [Failed]
    error = found[0].error
    assert (type(error), error.attempts) == (ServerError, 1)
    assert error.delivery is Delivery.UNKNOWN


@ORIGINS
@METHODS
def test_stop_ends_the_wait_for_the_rate(variant: Variant, origin: str, method: str) -> None:
    found = outcomes_of(
        variant, method, [SUCCESS[method]], origin=origin, rate=0.001, max_in_flight=1
    )
    assert [type(each) for each in found] == [CLASSES[method]]


def test_stop_ends_the_wait_for_a_pause_of_another_call(variant: Variant) -> None:
    """Its own requests were never throttled, so it has no outcomes."""
    pauses, found = Pauses(), list[Any]()

    def sync_scenario(client: Any) -> None:
        with client.conversations.create_many([{}]) as first:
            assert type(next(first).error) is RateLimitError
            with client.conversations.create_many([{}]) as outcomes:
                sync(pauses, "thread", lambda: found.extend(outcomes), outcomes.stop)

    async def async_scenario(client: Any) -> None:
        async with client.conversations.create_many([{}]) as first:
            assert type((await anext(first)).error) is RateLimitError
            async with client.conversations.create_many([{}]) as outcomes:
                await asynchronous(pauses, "task", lambda: listed_async(outcomes), outcomes.stop)

    with ScriptedServer([THROTTLED]) as server:
        variant.run(
            sync_scenario if variant.name == "sync" else async_scenario,
            world=pauses,
            api_key=KEY,
            base_url=server.url,
            timeout=None,
            retry=Retry(attempts=1, retry_after_max=3600),
        )
    assert (found, len(server.seen)) == ([], 1)


@pytest.mark.parametrize("ending", ["stop_on_error", "leave"])
def test_whatever_ends_a_bulk_call_ends_the_pauses_of_its_calls(
    variant: Variant, ending: str
) -> None:
    pauses = Pauses()

    def script() -> Iterator[bytes]:
        yield FAILED
        pauses.begun.wait(LIMIT)
        yield answer(401)

    stop_on_error = ending == "stop_on_error"
    options = {"max_in_flight": 2, "stop_on_error": stop_on_error}
    found: list[Any] = []

    def sync_scenario(client: Any) -> None:
        with time_limit(LIMIT), client.conversations.retrieve_many(["a", "b"], **options) as each:
            found.append(next(each))
            if stop_on_error:
                found.extend(each)

    async def async_scenario(client: Any) -> None:
        with anyio.fail_after(LIMIT):
            async with client.conversations.retrieve_many(["a", "b"], **options) as each:
                found.append(await anext(each))
                if stop_on_error:
                    found.extend([outcome async for outcome in each])

    with ScriptedServer(script()) as server:
        variant.run(
            sync_scenario if variant.name == "sync" else async_scenario,
            world=pauses,
            api_key=KEY,
            base_url=server.url,
            **PATIENT,
        )
    errors = [AuthenticationError, ServerError] if stop_on_error else [AuthenticationError]
    assert [type(outcome.error) for outcome in found] == errors
    assert len(server.seen) == 2


def test_a_stopped_call_is_not_sent_again_even_without_a_pause(variant: Variant) -> None:
    opened: list[Any] = []

    def script() -> Iterator[bytes]:
        opened[0].stop()
        yield answer(500, {}, retry_after="0")

    def sync_scenario(client: Any) -> list[Any]:
        with client.conversations.delete_many(["a"]) as outcomes:
            opened.append(outcomes)
            return list(outcomes)

    async def async_scenario(client: Any) -> list[Any]:
        async with client.conversations.delete_many(["a"]) as outcomes:
            opened.append(outcomes)
            return await listed_async(outcomes)

    scenario = sync_scenario if variant.name == "sync" else async_scenario
    with ScriptedServer(script()) as server:
        (found,) = variant.run(scenario, api_key=KEY, base_url=server.url)
    assert (type(found.error), found.error.attempts, len(server.seen)) == (ServerError, 1, 1)


def test_outcomes_can_be_stopped_before_they_are_opened(variant: Variant) -> None:
    def sync_scenario(client: Any) -> list[Any]:
        outcomes = client.conversations.create_many([{}])
        outcomes.stop()
        with outcomes:
            return list(outcomes)

    async def async_scenario(client: Any) -> list[Any]:
        outcomes = client.conversations.create_many([{}])
        outcomes.stop()
        async with outcomes:
            return [each async for each in outcomes]

    scenario = sync_scenario if variant.name == "sync" else async_scenario
    assert variant.run(scenario, api_key=KEY) == []


def test_stop_works_at_any_instruction_of_the_iteration() -> None:
    """As in a SIGTERM handler: afterwards, nothing waits and no outcome is missing."""

    class StoppedWorld(World):
        def _sleep(self, seconds: float, wakeup: Any) -> None:
            super()._sleep(seconds, wakeup)
            assert not tracer.raised or wakeup.wait(0)

    def requests() -> Iterator[CreateRequest]:
        for _ in range(6):
            read.append(tracer.raised)
            yield {}

    def iterate() -> None:
        read.clear()
        script = itertools.cycle([answer(), answer(429, {}, retry_after="9"), answer(400)])
        with ScriptedServer(script) as server, Client(KEY, base_url=server.url) as client:
            client._environment = StoppedWorld().environment()
            with client.conversations.create_many(requests(), max_in_flight=2) as outcomes:
                tracer.action = outcomes.stop
                with tracer.tracing():
                    found = list(outcomes)
        assert sorted(each.index for each in found) == list(range(len(read)))
        assert read.count(True) <= 1

    def instructions(name: str) -> bool:
        return name == "_client/many/window.py"

    read: list[bool] = []
    tracer = Tracer(instructions=instructions)
    iterate()
    for point in few(tracer.points, hits=1):
        tracer = Tracer(at=point, instructions=instructions)
        with time_limit(LIMIT_SECONDS):
            iterate()


# Signals that don't wake the main thread.


class SignalToAnotherThread:
    """Interrupts the main thread with a signal that the kernel sends to the calling thread."""

    def __init__(self) -> None:
        self._handled = threading.Event()
        self.was_handled: list[bool] = []

    def handle(self) -> None:
        self._handled.set()
        raise KeyboardInterrupt

    def send(self) -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        self.was_handled.append(self._handled.wait(LIMIT))


@pytest.mark.parametrize("is_bulk", [False, True])
def test_a_signal_ends_a_pause_that_it_does_not_wake(*, is_bulk: bool) -> None:
    pauses, interrupt = Pauses(), SignalToAnotherThread()

    def work() -> None:
        if is_bulk:
            with client.conversations.create_many([{}]) as outcomes:
                next(outcomes)
        else:
            create(client)

    with (
        ScriptedServer([THROTTLED]) as server,
        Client(KEY, base_url=server.url, timeout=None, retry=Retry(retry_after_max=3600)) as client,
        Handler(interrupt.handle),
        time_limit(LIMIT),
    ):
        client._environment = pauses.environment()
        with in_a_thread(pauses.begun, interrupt.send), pytest.raises(KeyboardInterrupt):
            work()
    assert interrupt.was_handled == [True]


def test_a_signal_ends_a_wait_for_a_response_that_it_does_not_wake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupt, begun, poll = SignalToAnotherThread(), threading.Event(), select.poll

    class Poll:
        def __init__(self) -> None:
            self.register = (real := poll()).register
            self._poll = real.poll

        def poll(self, milliseconds: int) -> list[tuple[int, int]]:
            if milliseconds:
                begun.set()
            return self._poll(milliseconds)

    monkeypatch.setattr(select, "poll", Poll)
    with (
        ScriptedServer([[]]) as server,
        Client(KEY, base_url=server.url, timeout=None) as client,
        Handler(interrupt.handle),
        in_a_thread(begun, interrupt.send),
        pytest.raises(KeyboardInterrupt),
    ):
        create(client)
    assert interrupt.was_handled == [True]


@pytest.mark.parametrize("has_poll", [False, True])
def test_a_socket_is_waited_for_until_the_limit(
    monkeypatch: pytest.MonkeyPatch, *, has_poll: bool
) -> None:
    if not has_poll:
        monkeypatch.delattr("select.poll", raising=False)
    monkeypatch.setattr("conversations_client._base.wakeup._SIGNAL_CHECK_SECONDS", 0.001)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not is_ready(ours, READABLE, 0.005)
        theirs.send(b"x")
        assert is_ready(ours, READABLE, 0.005)


# Without I/O.


@pytest.mark.parametrize("sets", [[], [0], [2]])
def test_a_long_wait_is_several_short_ones(
    monkeypatch: pytest.MonkeyPatch, sets: list[int]
) -> None:
    waits: list[float] = []

    def wait(_: Wakeup, seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) - 1 in sets

    monkeypatch.setattr(Wakeup, "_wait", wait)
    assert Wakeup().wait(1.25) is bool(sets)
    assert waits == [0.5, 0.5, 0.25][: sets[0] + 1 if sets else 3]


def test_wakeups_are_set_once_they_are_added_or_at_the_event() -> None:
    wakeups, early, late = Wakeups(), Wakeup(), Wakeup()
    wakeups.add(early)
    wakeups.add(Wakeup())
    assert (len(wakeups._waiting), early.wait(0)) == (1, False)
    wakeups.set()
    wakeups.add(late)
    assert (early.wait(0), late.wait(0), late.wait(0)) == (True, True, False)


def test_a_wakeup_may_disappear_while_others_are_set() -> None:
    class Taking(Wakeup):
        def set(self) -> None:
            others.clear()

    wakeups, others = Wakeups(), [Taking() for _ in range(9)]
    for index in range(9):
        wakeups.add(others[index])
    wakeups.set()
    assert not wakeups._waiting


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_client_can_be_closed_after_the_event_loop_of_a_pause(backend: str) -> None:
    closings: list[Any] = []

    async def pause(seconds: float, wakeup: Any) -> None:
        closings.append(wakeup)

    async def main() -> None:
        async with AsyncClient(KEY, base_url=server.url) as client:
            client._environment = Environment(sleep_async=pause)
            await create(client)

    with ScriptedServer([answer(429, {}), answer()]) as server:
        anyio.run(main, backend=backend)
    closings[0].set()
