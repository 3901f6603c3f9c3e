"""`create_many` with a real server in every variant, then the window without I/O."""

import gc
import itertools
import json
import math
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from many import run_many
from revisions import required
from scripted import CONVERSATION, HALF, HANG_UP, ScriptedServer, always, answer
from variants import KEY, Variant, World

from conversations_client import (
    AsyncClient,
    AsyncHooks,
    AuthenticationError,
    Client,
    ClientClosedError,
    Conversation,
    ConversationMetadata,
    ConversationsError,
    Created,
    CreateOutcome,
    CreateRequest,
    Delivery,
    DisconnectError,
    Failed,
    Headers,
    Hooks,
    InvalidArgumentError,
    RateLimitError,
    RawResponse,
    ResponseInfo,
    Retry,
    StatusError,
    StreamClosedError,
    structure,
)
from conversations_client._client.many.operations import creation
from conversations_client._client.many.pending_request import PendingRequest
from conversations_client._client.many.rate_limiter import RateLimiter
from conversations_client._client.many.shared_backoff import SharedBackoff
from conversations_client._client.many.window import Step, Wait, Window
from conversations_client.sandbox import Sandbox

CREATED = structure(CONVERSATION, Conversation)
TAKEN = RawResponse(
    parsed=CREATED, status=201, headers=Headers(()), request_id="req_1", attempts=1, elapsed=0.0
)
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def requests(count: int) -> Iterator[CreateRequest]:
    return (CreateRequest(display_name=f"number {index}") for index in range(count))


def run(
    variant: Variant,
    given: Any,
    *,
    world: World | None = None,
    then: Callable[[list[CreateOutcome]], None] | None = None,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> list[CreateOutcome]:
    """All outcomes of create_many in a variant; `then` is called after each outcome."""
    return run_many(variant, "create_many", given, world=world, then=then, client=client, **options)


def indices(outcomes: Iterable[CreateOutcome]) -> list[int]:
    return [outcome.index for outcome in outcomes]


def failure(outcome: CreateOutcome) -> Any:
    assert isinstance(outcome, Failed)
    return outcome.error


# End to end


def test_each_request_has_one_outcome(variant: Variant, revision: int) -> None:
    arguments = required(revision)
    model = ConversationMetadata(model="openai/gpt-4o", **arguments.get("metadata", {}))
    rows: list[Any] = [
        *({**request, **arguments} for request in requests(40)),
        {"metadata": {"entity_id": "agent_1"}, "project_id": None, "idempotency_key": "k-1"},
        {"metadata": model},
        arguments,
    ]
    with Sandbox(revision=revision) as sandbox:
        found = run(variant, rows, client={"api_key": sandbox.api_key, "base_url": sandbox.url})
        with Client(sandbox.api_key, base_url=sandbox.url) as client:
            there = {conversation.id: conversation for conversation in client.conversations.list()}
            there |= {c.id: c for c in client.conversations.list(entity_id="agent_1")}
    assert sorted(indices(found)) == list(range(43))
    made = {
        outcome.index: outcome.conversation for outcome in found if isinstance(outcome, Created)
    }
    assert {one.id: one for one in made.values()} == there
    assert [made[index].display_name for index in (0, 39, 42)] == [
        "number 0",
        "number 39",
        "Untitled",
    ]


def test_an_invalid_request_fails_and_nothing_is_sent(variant: Variant) -> None:
    rows: list[Any] = [
        {"display_name": "x" * 101},
        {"displayName": "a"},
        "a name",
        {"display_name": "b"},
        {"idempotency_key": ""},
    ]
    with ScriptedServer(always()) as server:
        found = run(
            variant, rows, ordered=True, client={"base_url": server.url, "project_id": "prj_1"}
        )
    assert [json.loads(seen.body) for seen in server.seen] == [
        {"displayName": "b", "projectId": "prj_1"}
    ]
    assert [type(outcome) for outcome in found] == [Failed, Failed, Failed, Created, Failed]
    errors = [failure(outcome) for outcome in found if isinstance(outcome, Failed)]
    assert all(type(error) is InvalidArgumentError for error in errors)
    assert [str(error) for error in errors[1:3]] == [
        "Unknown key 'displayName'; did you mean 'display_name'?",
        "A request must be a dict such as CreateRequest, not str.",
    ]


def test_a_failure_shows_whether_the_service_may_have_acted(variant: Variant) -> None:
    script = [answer(), answer(422, {"message": "no"}), HANG_UP, answer()]
    with ScriptedServer(script) as server:
        found = run(variant, requests(4), max_in_flight=1, client={"base_url": server.url})
    assert [type(outcome) for outcome in found] == [Created, Failed, Failed, Created]
    refused, broken = found[1], found[2]
    assert isinstance(refused, Failed)
    assert isinstance(broken, Failed)
    assert (refused.may_have_acted, broken.may_have_acted) == (False, True)
    assert isinstance(broken.error, DisconnectError)


def test_an_outcome_has_the_request_id(variant: Variant) -> None:
    script = [answer(x_request_id="req_1"), answer(422, x_request_id="req_2"), answer()]
    with ScriptedServer(script) as server:
        found = run(variant, requests(3), max_in_flight=1, client={"base_url": server.url})
    first, second, third = found
    assert isinstance(first, Created)
    assert isinstance(third, Created)
    assert (first.request_id, third.request_id) == ("req_1", None)
    assert failure(second).request_id == "req_2"


def test_stop_on_error_stops_after_a_failure(variant: Variant) -> None:
    rows = requests(10)
    with ScriptedServer([answer(), answer(401)]) as server:
        found = run(
            variant, rows, max_in_flight=1, stop_on_error=True, client={"base_url": server.url}
        )
    assert indices(found) == [0, 1]
    assert isinstance(failure(found[1]), AuthenticationError)
    assert next(rows) == {"display_name": "number 2"}


def test_after_stop_nothing_is_read_and_no_time_is_spent(variant: Variant) -> None:
    rows, world = requests(10), World()
    with ScriptedServer(always()) as server:
        client = {"base_url": server.url}
        found = run(
            variant, rows, world=world, max_in_flight=1, rate=0.001, stop=True, client=client
        )
    assert (indices(found), world.pauses) == ([0], [])
    assert next(rows) == {"display_name": "number 1"}


# Rate and backoff


def test_the_rate_is_not_exceeded(variant: Variant) -> None:
    world = World()
    with ScriptedServer(always()) as server:
        run(
            variant,
            requests(4),
            world=world,
            max_in_flight=1,
            rate=4,
            client={"base_url": server.url},
        )
    assert world.pauses == [0.25] * 4  # the last request before the end of the iterable is known


def test_a_throttled_request_waits_and_is_sent_again_unchanged(
    variant: Variant,
) -> None:
    world = World()
    script = [
        answer(429, retry_after="7"),
        answer(503, retry_after="3"),
        answer(429),
        *[answer()] * 2,
    ]
    retry = Retry(attempts=4, wait_initial=2)
    with ScriptedServer(script) as server:
        found = run(
            variant,
            requests(2),
            world=world,
            max_in_flight=1,
            client={"base_url": server.url, "retry": retry},
        )
    assert world.pauses == [7.0, 3.0, 6.0]
    assert [type(outcome) for outcome in found] == [Created, Created]
    keys = [seen.headers["idempotency-key"] for seen in server.seen]
    assert keys == ["made-up-1"] * 4 + ["made-up-2"]


def test_a_request_that_is_throttled_too_often_fails(variant: Variant) -> None:
    world = World()
    with ScriptedServer([answer(429, retry_after="5")] * 2 + [answer()]) as server:
        found = run(
            variant,
            requests(2),
            world=world,
            max_in_flight=1,
            client={"base_url": server.url, "retry": Retry(attempts=2)},
        )
    assert world.pauses == [5.0, 5.0]
    error = failure(found[0])
    assert isinstance(error, RateLimitError)
    assert (error.attempts, error.delivery, error.retry_after) == (2, Delivery.REFUSED, 5.0)
    assert "Gave up after 2 attempts." in str(error)
    assert isinstance(found[1], Created)


@pytest.mark.parametrize("stop_on_error", [False, True])
def test_nothing_is_sent_while_the_service_asks_for_too_long_a_wait(
    variant: Variant, *, stop_on_error: bool
) -> None:
    world = World()
    with ScriptedServer([answer(429, retry_after="90", x_request_id="req_1")]) as server:
        found = run(
            variant,
            requests(4),
            world=world,
            max_in_flight=1,
            stop_on_error=stop_on_error,
            client={"base_url": server.url},
        )
        assert len(server.seen) == 1
    assert world.pauses == []
    sent, *unsent = map(failure, found)
    assert len(unsent) == (0 if stop_on_error else 3)
    reason = "The Retry-After of 90 s is longer than retry_after_max=60: wait that long, or"
    assert (sent.attempts, sent.delivery, sent.request_id) == (1, Delivery.REFUSED, "req_1")
    assert reason in str(sent)
    for error in unsent:
        assert isinstance(error, RateLimitError)
        assert (error.attempts, error.delivery, error.request_id) == (0, Delivery.UNSENT, None)
        assert (error.status, error.retry_after) == (429, 90.0)
        assert str(error).startswith(
            f"POST /v2/conversations: not sent, because the service is throttling. {reason}"
        )


def test_a_long_wait_is_waited_for_if_the_limit_allows_it(variant: Variant) -> None:
    world = World()
    with ScriptedServer([answer(429, retry_after="90"), answer()]) as server:
        found = run(
            variant,
            requests(1),
            world=world,
            client={"base_url": server.url, "retry": Retry(retry_after_max=90)},
        )
    assert world.pauses == [90.0]
    assert isinstance(found[0], Created)


SECOND: dict[str, Callable[[Any], Any]] = {
    "its own": lambda client: client,
    "of a copy": lambda client: client.with_options(),
    "of another": lambda client: type(client)(KEY, base_url=client.base_url),
    "with another key": lambda client: client.with_options(api_key="another-key"),
}


@pytest.mark.parametrize("whose", SECOND)
def test_all_calls_with_one_service_and_key_share_the_backoff(variant: Variant, whose: str) -> None:
    """This includes other clients in this process, such as those of a partitioned import."""
    world = World()

    def second(client: Any) -> Any:
        other = SECOND[whose](client)
        other._environment = world.environment()
        return other

    def sync(client: Any) -> None:
        with client.conversations.create_many(requests(1)) as outcomes:
            assert isinstance(failure(next(outcomes)), RateLimitError)
        with second(client) as other, other.conversations.create_many(requests(1)) as outcomes:
            assert isinstance(next(outcomes), Created)

    async def asynchronous(client: Any) -> None:
        async with client.conversations.create_many(requests(1)) as outcomes:
            assert isinstance(failure(await anext(outcomes)), RateLimitError)
        async with (
            second(client) as other,
            other.conversations.create_many(requests(1)) as outcomes,
        ):
            assert isinstance(await anext(outcomes), Created)

    with ScriptedServer([answer(429, retry_after="7"), answer()]) as server:
        variant.run(
            sync if variant.name == "sync" else asynchronous,
            world=world,
            api_key=KEY,
            base_url=server.url,
            retry=Retry(attempts=1),
        )
    assert world.pauses == ([] if whose == "with another key" else [7.0])


def test_clients_over_a_custom_http_client_share_no_backoff() -> None:
    given = [httpx.Client(), httpx.Client()]
    clients = [Client(KEY, http_client=one) for one in given]
    first, second = (client._backoff for client in clients)
    assert first is not second
    assert clients[0].with_options()._backoff is first
    for one in given:
        one.close()


def test_a_request_that_may_have_acted_before_it_was_throttled_still_may_have(
    variant: Variant,
) -> None:
    script = [answer(500), answer(429, retry_after="99"), answer()]
    retry = Retry(trust_idempotency_key=True, wait_initial=0)
    with ScriptedServer(script) as server:
        (found,) = run(variant, requests(1), client={"base_url": server.url, "retry": retry})
    assert failure(found).delivery is Delivery.UNKNOWN
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 1


# The window


def test_only_the_requests_of_the_window_are_read(variant: Variant) -> None:
    """No request is read while outcomes are not consumed."""
    read: list[int] = []

    def rows() -> Iterator[CreateRequest]:
        for index in itertools.count():
            read.append(index)
            yield {}

    class EnoughError(Exception):
        pass

    def look(found: list[CreateOutcome]) -> None:
        assert len(read) - len(found) < 4
        if len(found) == 50:
            raise EnoughError

    with ScriptedServer(always()) as server, pytest.raises(EnoughError):
        run(variant, rows(), max_in_flight=4, then=look, client={"base_url": server.url})
    assert server.connections <= 4


def test_outcomes_are_ordered_even_if_the_first_call_ends_last(variant: Variant) -> None:
    with Sandbox() as sandbox:
        sandbox.delay_next(0.05)
        found = run(
            variant,
            requests(6),
            ordered=True,
            max_in_flight=3,
            client={"api_key": sandbox.api_key, "base_url": sandbox.url},
        )
        assert indices(found) == list(range(6))


def test_leaving_early_ends_all_threads(variant: Variant) -> None:
    def rows() -> Iterator[CreateRequest]:
        return ({} for _ in itertools.count())

    def leave(found: list[CreateOutcome]) -> None:
        raise KeyError("mine")

    before = set(threading.enumerate())
    with ScriptedServer(always()) as server:
        serving = set(threading.enumerate())
        with pytest.raises(KeyError, match="mine"):
            run(variant, rows(), max_in_flight=5, then=leave, client={"base_url": server.url})
        left = {thread.name for thread in set(threading.enumerate()) - serving}
        assert not any(name.startswith("create_many") for name in left)
    assert set(threading.enumerate()) == before


@BACKENDS
def test_a_cancellation_cancels_the_calls_in_flight(backend: str) -> None:
    ended: list[ResponseInfo] = []

    async def note(info: ResponseInfo) -> None:
        ended.append(info)

    async def main() -> bool:
        # Calls that are not cancelled end by themselves and are recorded.
        hooks = AsyncHooks(on_response=note)
        async with AsyncClient(KEY, base_url=server.url, timeout=2, hooks=hooks) as client:
            with anyio.move_on_after(0.05) as scope:
                async with client.conversations.create_many(requests(9)) as outcomes:
                    async for _ in outcomes:
                        raise AssertionError("nothing is answered")
            return scope.cancelled_caught

    with ScriptedServer(itertools.repeat([HALF])) as server:
        assert anyio.run(main, backend=backend)
    assert ended == []


@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")  # the exception group of trio
@BACKENDS
@pytest.mark.parametrize("leave", ["close", "forget"])
def test_leaving_an_async_generator_early_cancels_no_task(backend: str, leave: str) -> None:
    async def created(client: AsyncClient) -> AsyncIterator[int]:
        async with client.conversations.create_many(requests(9), max_in_flight=3) as outcomes:
            async for outcome in outcomes:
                yield outcome.index

    async def main() -> None:
        async with AsyncClient(KEY, base_url=server.url, max_connections=3, timeout=5) as client:
            for _ in range(3):
                generator = created(client)
                await anext(generator)
                if leave == "close":
                    # In another task, because event loops close abandoned generators.
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(generator.aclose)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
                del generator
                gc.collect()
                await anyio.lowlevel.checkpoint()
                await client.conversations.create()

    with ScriptedServer(always()) as server:
        anyio.run(main, backend=backend)


@BACKENDS
def test_outcomes_can_be_closed_in_another_task(backend: str) -> None:
    async def main() -> None:
        async with AsyncClient(KEY, base_url=server.url) as client:
            outcomes = client.conversations.create_many(requests(9), max_in_flight=3)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(outcomes.__aenter__)
            await anext(outcomes)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(outcomes.__aexit__, None, None, None)

    with ScriptedServer(always()) as server:
        anyio.run(main, backend=backend)


def test_async_calls_can_be_prepared_outside_an_event_loop() -> None:
    async def main() -> list[int]:
        async with outcomes:
            return [outcome.index async for outcome in outcomes]

    with ScriptedServer(always()) as server:
        client = AsyncClient(KEY, base_url=server.url, max_connections=1)
        outcomes = client.conversations.create_many(requests(2), max_in_flight=1)

        async def whole() -> list[int]:
            async with client:
                return await main()

        assert anyio.run(whole) == [0, 1]


@BACKENDS
def test_an_interrupt_in_a_hook_is_raised_by_the_iteration(backend: str) -> None:
    async def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        async with (
            AsyncClient(
                KEY, base_url="http://127.0.0.1:9", hooks=AsyncHooks(on_request=interrupt)
            ) as client,
            client.conversations.create_many(requests(2), max_in_flight=1) as outcomes,
        ):
            await anext(outcomes)

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)


def test_a_request_that_was_not_handed_over_is_sent_when_the_iteration_continues() -> None:
    with (
        ScriptedServer(always()) as server,
        Client(KEY, base_url=server.url) as client,
        client.conversations.create_many(requests(2), max_in_flight=1) as outcomes,
    ):
        send = outcomes._send

        def interrupt() -> None:
            outcomes._send = send  # type: ignore[method-assign]
            raise KeyboardInterrupt

        outcomes._send = interrupt  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            next(outcomes)
        assert [outcome.index for outcome in outcomes] == [0, 1]
        outcomes._call()  # from a thread that was started twice for one request
        assert len(server.seen) == 2


@BACKENDS
def test_requests_can_come_from_an_async_iterable(backend: str) -> None:
    async def rows() -> AsyncIterator[CreateRequest]:
        for request in requests(5):
            await anyio.lowlevel.checkpoint()
            yield request

    with ScriptedServer(always()) as server:
        found = run(Variant(backend), rows(), client={"base_url": server.url})
    assert sorted(indices(found)) == [0, 1, 2, 3, 4]


# Errors in the caller's code


def test_an_error_of_the_iterable_is_raised_and_the_outcomes_continue(variant: Variant) -> None:
    def rows() -> Iterator[CreateRequest]:
        yield from requests(2)
        raise KeyError("mine")

    found: list[int] = []

    def sync(client: Any) -> None:
        with client.conversations.create_many(rows()) as outcomes:
            with pytest.raises(KeyError, match="mine"):
                found.extend(outcome.index for outcome in outcomes)
            found.extend(outcome.index for outcome in outcomes)

    async def asynchronous(client: Any) -> None:
        async with client.conversations.create_many(rows()) as outcomes:
            with pytest.raises(KeyError, match="mine"):
                found.extend([outcome.index async for outcome in outcomes])
            found.extend([outcome.index async for outcome in outcomes])

    with ScriptedServer(always()) as server:
        scenario = sync if variant.name == "sync" else asynchronous
        variant.run(scenario, api_key=KEY, base_url=server.url)
    assert sorted(found) == [0, 1]


def test_a_second_thread_cannot_read_the_outcomes() -> None:
    is_reading, may_continue = threading.Event(), threading.Event()

    def rows() -> Iterator[CreateRequest]:
        is_reading.set()
        assert may_continue.wait(60)
        yield {}

    with (
        ScriptedServer([answer()]) as server,
        Client(KEY, base_url=server.url) as client,
        client.conversations.create_many(rows()) as outcomes,
        ThreadPoolExecutor(1) as threads,
    ):
        first = threads.submit(list, outcomes)
        assert is_reading.wait(60)
        with pytest.raises(StreamClosedError, match="Another thread is reading the outcomes"):
            next(outcomes)
        may_continue.set()
        assert indices(first.result(60)) == [0]
        assert list(outcomes) == []


@BACKENDS
def test_a_second_task_cannot_read_the_outcomes(backend: str) -> None:
    async def main(url: str) -> list[CreateOutcome]:
        is_reading, may_continue = anyio.Event(), anyio.Event()
        found: list[CreateOutcome] = []

        async def rows() -> AsyncIterator[CreateRequest]:
            is_reading.set()
            await may_continue.wait()
            yield {}

        async def read() -> None:
            found.extend([outcome async for outcome in outcomes])

        async with (
            AsyncClient(KEY, base_url=url) as client,
            client.conversations.create_many(rows()) as outcomes,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(read)
            await is_reading.wait()
            with pytest.raises(StreamClosedError, match="Another task is reading the outcomes"):
                await anext(outcomes)
            may_continue.set()
        return found

    with ScriptedServer([answer()]) as server:
        assert indices(anyio.run(main, server.url, backend=backend)) == [0]


def test_outcomes_can_be_opened_once(variant: Variant) -> None:
    def sync(client: Any) -> None:
        outcomes = client.conversations.create_many(requests(1))
        with pytest.raises(StreamClosedError, match="not open"):
            next(outcomes)
        with outcomes:
            pass
        with pytest.raises(StreamClosedError, match="not open"):
            next(iter(outcomes))
        with pytest.raises(StreamClosedError, match="opened only once"), outcomes:
            pass

    async def asynchronous(client: Any) -> None:
        outcomes = client.conversations.create_many(requests(1))
        with pytest.raises(StreamClosedError, match="not open"):
            await anext(outcomes)
        async with outcomes:
            pass
        with pytest.raises(StreamClosedError, match="not open"):
            await anext(aiter(outcomes))
        with pytest.raises(StreamClosedError, match="opened only once"):
            async with outcomes:
                pass

    variant.run(sync if variant.name == "sync" else asynchronous, api_key=KEY)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"requests": 3}, "requests must be an iterable of CreateRequest, not int."),
        ({"requests": {}}, "requests must be an iterable of CreateRequest, not dict: pass a list."),
        ({"max_in_flight": 0}, "max_in_flight must be a whole number, 1 or more."),
        ({"max_in_flight": True}, "max_in_flight must be a whole number, 1 or more."),
        ({"rate": 0}, "rate must be a number above 0, or None for no limit."),
        ({"rate": float("inf")}, "rate must be a number above 0, or None for no limit."),
        ({"rate": 5e-324}, "rate must be a number above 0, or None for no limit."),
        ({"rate": "5"}, "rate must be a number above 0, or None for no limit."),
    ],
)
def test_an_invalid_argument_is_rejected_immediately(
    variant: Variant, options: dict[str, Any], words: str
) -> None:
    def scenario(client: Any) -> None:
        with pytest.raises(InvalidArgumentError) as raised:
            client.conversations.create_many(**{"requests": [], **options})
        assert str(raised.value) == words

    variant.run(scenario, api_key=KEY)


def test_a_closed_client_ends_the_iteration(variant: Variant) -> None:
    def sync(client: Any) -> None:
        client.close()
        with client.conversations.create_many(requests(9)) as outcomes:
            list(outcomes)

    async def asynchronous(client: Any) -> None:
        await client.aclose()
        async with client.conversations.create_many(requests(9)) as outcomes:
            [outcome async for outcome in outcomes]

    with ScriptedServer(always()) as server, pytest.raises(ClientClosedError):
        variant.run(
            sync if variant.name == "sync" else asynchronous, api_key=KEY, base_url=server.url
        )


def outcomes_before(
    variant: Variant, error: type[BaseException], *, close: bool, **options: Any
) -> tuple[list[Any], int]:
    """The outcomes before an error, and the number of received requests."""
    found: list[Any] = []

    def sync(client: Any) -> None:
        with client.conversations.create_many(requests(9), max_in_flight=3, **many) as outcomes:
            for outcome in outcomes:
                found.append(outcome)
                if close:
                    client.close()

    async def asynchronous(client: Any) -> None:
        pending = client.conversations.create_many(requests(9), max_in_flight=3, **many)
        async with pending as outcomes:
            async for outcome in outcomes:
                found.append(outcome)
                if close:
                    await client.aclose()

    many = {"ordered": options.pop("ordered")}
    scenario = sync if variant.name == "sync" else asynchronous
    with ScriptedServer(always()) as server, pytest.raises(error):
        variant.run(scenario, api_key=KEY, base_url=server.url, **options)
    return found, len(server.seen)


@pytest.mark.parametrize("ordered", [False, True])
def test_closing_the_client_loses_no_outcome(variant: Variant, ordered: bool) -> None:
    found, seen = outcomes_before(variant, ClientClosedError, close=True, ordered=ordered)
    unsent = [outcome for outcome in found if isinstance(outcome, Failed)]
    assert len(found) - len(unsent) == seen
    assert 3 <= len({outcome.index for outcome in found}) == len(found) < 9
    assert all(type(outcome.error) is ClientClosedError for outcome in unsent)
    assert not any(outcome.error.may_have_acted for outcome in unsent)


@pytest.mark.parametrize("ordered", [False, True])
def test_an_error_of_a_hook_loses_no_outcome_of_another_call(
    variant: Variant, ordered: bool
) -> None:
    class StoppedError(Exception):
        pass

    calls = itertools.count()

    def on_request(_: object) -> None:
        if next(calls) == 1:
            raise StoppedError

    async def on_request_async(_: object) -> None:
        on_request(_)

    hooks: Any = Hooks(on_request=on_request)
    if variant.name != "sync":
        hooks = AsyncHooks(on_request=on_request_async)
    found, seen = outcomes_before(variant, StoppedError, close=False, ordered=ordered, hooks=hooks)
    assert all(isinstance(outcome, Created) for outcome in found)
    assert 1 <= len(found) == seen < 9


def test_an_error_of_a_hook_ends_the_iteration() -> None:
    def on_request(_: object) -> None:
        raise SystemExit(7)

    with (
        Client(KEY, hooks=Hooks(on_request=on_request)) as client,
        client.conversations.create_many(requests(9)) as outcomes,
        pytest.raises(SystemExit),
    ):
        next(outcomes)


# The window without I/O


def window(**options: Any) -> Window[Created]:
    defaults: dict[str, Any] = {
        "size": 3,
        "ordered": False,
        "stop_on_error": False,
        "retry": Retry(attempts=2),
        "rate_limiter": RateLimiter(rate=None),
        "operation": creation(project_id=None, new_key=lambda: "key"),
    }
    return Window(**{**defaults, **options})


def rejected(
    status: int, retry_after: float | None = None, *, request_id: str | None = None
) -> StatusError:
    return StatusError(
        "No.",
        status=status,
        service_message=None,
        headers=Headers(()),
        body=b"",
        retry_after=retry_after,
        delivery=Delivery.REFUSED,
        request_id=request_id,
    )


def read(window: Window[Created], now: float = 0.0) -> PendingRequest:
    assert window.step(now) is Step.READ
    window.inbox.append((len(window._open), {}))
    assert window.step(now) is Step.ADD
    row = window.add(now=now)
    assert row is not None
    return row


def sent(window: Window[Created], now: float = 0.0) -> int:
    row = window.step(now)
    assert isinstance(row, PendingRequest)
    return row.index


def reported(window: Window[Created], now: float = 0.0) -> Created | Failed:
    assert window.step(now) is Step.REPORT
    return window.report()


def test_after_a_backoff_one_request_probes_and_delayed_ones_precede_new_ones() -> None:
    bulk = window(size=4)
    rows = [read(bulk) for _ in range(3)]
    for row in rows:
        bulk.failed(row, rejected(429, 2.0), now=0.0, jitter=0)
    assert bulk.step(0.5) == Wait(1.5, is_idle=True)
    assert sent(bulk, 2.0) == 0
    assert bulk.step(2.0) == Wait(math.inf, is_idle=False)
    bulk.succeeded(rows[0], TAKEN)
    assert [sent(bulk, 2.0), sent(bulk, 2.0)] == [1, 2]
    assert bulk.step(2.0) is Step.READ


def test_a_request_fails_only_while_the_service_accepts_no_other() -> None:
    bulk = window(retry=Retry(attempts=2))
    first, second = read(bulk), read(bulk)
    for row in (first, second):
        bulk.failed(row, rejected(429, 0.0), now=0.0, jitter=0)
    assert sent(bulk) == 0
    bulk.succeeded(first, TAKEN)
    for _ in range(2):
        again = bulk.step(0.0)
        assert isinstance(again, PendingRequest)
        bulk.failed(again, rejected(429, 0.0), now=0.0, jitter=0)
    bulk.drain()
    assert reported(bulk) == Created(0, CREATED, "req_1")
    found = reported(bulk)
    assert isinstance(found, Failed)
    assert (found.index, found.error.attempts) == (1, 3)


def test_a_request_fails_after_as_many_refusals_as_there_are_attempts() -> None:
    bulk = window(size=1, retry=Retry(attempts=3, wait_initial=2.0))
    row, waits = read(bulk), list[object]()
    for now in (0.0, 10.0):
        bulk.failed(row, rejected(429), now=now, jitter=1)
        waits.append(bulk.step(now))
        row = next(iter(bulk._delayed.values()))
        assert sent(bulk, now + 10.0) == 0
    assert waits == [Wait(2.0, is_idle=True), Wait(4.0, is_idle=True)]
    bulk.failed(row, rejected(429), now=20.0, jitter=1)
    found = reported(bulk, 20.0)
    assert (failure(found).status, found.index) == (429, 0)
    assert "Gave up after 3 attempts." in str(failure(found))


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (rejected(400), True),
        (DisconnectError("broke.", delivery=Delivery.UNKNOWN), False),
    ],
)
def test_a_response_that_is_no_refusal_shows_that_the_service_accepts_requests(
    error: ConversationsError, counts: bool
) -> None:
    bulk = window(retry=Retry(attempts=2))
    first, second = read(bulk), read(bulk)
    bulk.failed(second, rejected(429, 0.0), now=0.0, jitter=0)
    bulk.failed(first, error, now=0.0, jitter=0)
    again = bulk.step(0.0)
    assert isinstance(again, PendingRequest)
    bulk.failed(again, rejected(429, 0.0), now=0.0, jitter=0)
    assert (1 in bulk._delayed) is counts


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(5.0, 5.0), (99.0, 99.0), (None, None), (0.0, None)]
)
def test_others_wait_after_a_refusal_that_is_final(
    retry_after: float | None, wait: float | None
) -> None:
    bulk = window(size=2, retry=Retry(attempts=1))
    bulk.failed(read(bulk), rejected(429, retry_after), now=0.0, jitter=0)
    assert bulk.rate_limiter.wait(0.0) == (wait or 0.0)


def test_what_waits_fails_when_the_service_asks_for_too_long_a_wait() -> None:
    bulk = window(size=4)
    delayed, in_flight, last = read(bulk), read(bulk), read(bulk)
    bulk.failed(delayed, rejected(429, 5.0), now=0.0, jitter=0)
    bulk.failed(last, rejected(429, 90.0), now=10.0, jitter=0)
    first, second = reported(bulk, 20.0), reported(bulk, 20.0)
    assert [(each.index, failure(each).retry_after) for each in (first, second)] == [
        (2, 90.0),
        (0, 80.0),
    ]
    assert (failure(second).attempts, failure(second).delivery) == (1, Delivery.REFUSED)
    assert bulk.step(20.0) is Step.READ
    bulk.inbox.append((3, {}))
    assert bulk.add(now=20.0) is None
    assert failure(reported(bulk, 20.0)).delivery is Delivery.UNSENT
    bulk.drain()
    bulk.succeeded(in_flight, TAKEN)
    assert reported(bulk, 20.0).index == 1
    assert bulk.step(20.0) is Step.END


@pytest.mark.parametrize("was_sent", [False, True])
def test_a_request_that_is_not_sent_reports_its_own_attempts(*, was_sent: bool) -> None:
    request = PendingRequest(0, {}, creation(project_id=None, new_key=lambda: "key").operation({}))
    if was_sent:
        request = request.after(rejected(429, 5.0, request_id="its own"))
    other = rejected(429, 90.0, request_id="another's")
    other.method, other.template = "DELETE", "/v2/conversations/{conversation_id}"
    error = request.unsent_error(other, 80.0, "")
    assert (error.method, error.template) == ("POST", "/v2/conversations")
    problem = "not sent again" if was_sent else "not sent"
    own_id = " Request ID: its own." if was_sent else ""
    assert (str(error), error.retry_after, error.request_id) == (
        f"POST /v2/conversations: {problem}, because the service is throttling.{own_id}",
        80.0,
        "its own" if was_sent else None,
    )


def test_requests_wait_for_the_rest_of_a_long_wait_once_the_limit_allows_it() -> None:
    bulk = window(size=2)
    bulk.failed(read(bulk), rejected(429, 90.0), now=0.0, jitter=0)
    assert reported(bulk, 29.0).index == 0
    assert bulk.step(29.0) is Step.READ
    assert bulk.step(30.0) == Wait(60.0, is_idle=True)
    assert read(bulk, 90.0).index == 0


def test_another_window_does_not_wait_too_long_either() -> None:
    backoff = SharedBackoff()
    patient, other = (
        window(
            retry=Retry(retry_after_max=longest),
            rate_limiter=RateLimiter(rate=None, backoff=backoff),
        )
        for longest in (90, 60)
    )
    bulk = patient
    bulk.failed(read(bulk), rejected(429, 90.0), now=0.0, jitter=0)
    assert bulk.step(0.0) == Wait(90.0, is_idle=True)
    assert other.step(0.0) is Step.READ
    other.inbox.append((0, {}))
    assert other.step(0.0) is Step.ADD
    assert other.add(now=0.0) is None
    assert failure(reported(other)).retry_after == 90.0


def test_an_item_that_was_read_before_a_refusal_waits() -> None:
    bulk = window()
    first = read(bulk)
    assert bulk.step(0.0) is Step.READ
    bulk.failed(first, rejected(429, 5.0), now=0.0, jitter=0)
    bulk.inbox.append((1, {}))
    assert bulk.add(now=0.0) is None
    assert bulk.step(0.0) == Wait(5.0, is_idle=True)


def test_a_request_has_one_outcome_if_an_interrupt_came_while_it_failed() -> None:
    bulk = window()
    bulk.failed(read(bulk), rejected(429, 5.0), now=0.0, jitter=0)
    request = bulk._delayed[0]
    bulk._fail(Failed(0, rejected(429, 90.0)))
    assert bulk._delayed == {0: request}
    bulk.drain()
    assert reported(bulk, 100.0).index == 0
    assert bulk.step(100.0) is Step.END


def test_a_backoff_without_a_header_has_its_own_limit() -> None:
    bulk = window(retry=Retry(wait_initial=80, wait_max=80, retry_after_max=1))
    bulk.failed(read(bulk), rejected(429), now=0.0, jitter=1)
    assert bulk.step(0.0) == Wait(80.0, is_idle=True)


def test_requests_are_told_apart_although_their_items_are_equal() -> None:
    row = read(window())
    assert row != attrs.evolve(row)
    assert len({row, attrs.evolve(row)}) == 2


def test_delayed_requests_fail_when_an_error_stops_the_rest() -> None:
    bulk = window(stop_on_error=True)
    first, second, third = read(bulk), read(bulk), read(bulk)
    bulk.failed(first, rejected(429, 5.0), now=0.0, jitter=0)
    bulk.failed(second, rejected(422), now=0.0, jitter=0)
    bulk.failed(third, rejected(429, 5.0), now=0.0, jitter=0)
    failures = [reported(bulk) for _ in range(3)]
    assert [(outcome.index, failure(outcome).status) for outcome in failures] == [
        (1, 422),
        (0, 429),
        (2, 429),
    ]
    assert bulk.step(0.0) is Step.END


def test_throttled_requests_fail_when_the_caller_stops() -> None:
    bulk = window()
    first, second = read(bulk), read(bulk)
    bulk.failed(first, rejected(429, 5.0), now=0.0, jitter=0)
    bulk.stop()
    assert bulk.step(0.0) is Step.REPORT
    assert failure(bulk.report()).status == 429
    bulk.succeeded(second, TAKEN)
    assert reported(bulk).index == 1
    assert bulk.step(0.0) is Step.END


def test_nothing_waits_for_a_call_that_ended_without_an_outcome() -> None:
    bulk = window(ordered=True)
    first, second = read(bulk), read(bulk)
    bulk.abandon(first)
    bulk.drain()
    bulk.succeeded(second, TAKEN)
    assert reported(bulk).index == 1
    assert bulk.step(0.0) is Step.END


def test_a_probe_that_ended_without_an_outcome_ends_the_backoff() -> None:
    bulk = window()
    first, second = read(bulk), read(bulk)
    bulk.failed(first, rejected(429, 2.0), now=0.0, jitter=0)
    bulk.failed(second, rejected(429, 2.0), now=0.0, jitter=0)
    assert sent(bulk, 2.0) == first.index
    assert isinstance(bulk.step(2.0), Wait)
    bulk.abandon(first)
    assert sent(bulk, 2.0) == second.index


def test_an_item_that_was_read_before_the_caller_stops_is_sent() -> None:
    bulk = window()
    assert bulk.step(0.0) is Step.READ
    bulk.inbox.append((0, {}))
    bulk.stop()
    assert bulk.step(0.0) is Step.ADD
    assert bulk.add(now=0.0) is not None


@pytest.mark.parametrize("seconds", [0.5, 5.0, 60.0])
def test_an_item_that_was_read_fails_in_a_pause_when_the_caller_stops(seconds: float) -> None:
    bulk = window()
    first = read(bulk)
    bulk._delayed[1] = PendingRequest(1, {}, first.operation)  # an interrupt came before sending
    bulk.failed(first, rejected(429, seconds), now=0.0, jitter=0)
    assert bulk.step(0.0) == Wait(seconds, is_idle=True)
    assert bulk.is_stopped is False
    bulk.stop()
    assert failure(reported(bulk)).status == 429
    error = failure(reported(bulk))
    assert (error.delivery, str(error)) == (
        Delivery.UNSENT,
        "POST /v2/conversations: not sent, because the service is throttling.",
    )


def test_an_item_that_was_read_is_sent_if_the_pause_ends_when_the_caller_stops() -> None:
    bulk = window()
    first = read(bulk)
    bulk._delayed[1] = PendingRequest(1, {}, first.operation)  # an interrupt came before sending
    bulk.failed(first, rejected(429, 5.0), now=0.0, jitter=0)
    bulk.stop()
    assert sent(bulk, 5.0) == 1
    assert failure(reported(bulk, 5.0)).status == 429


def test_an_item_that_was_read_is_sent_in_a_backoff_when_the_caller_stops() -> None:
    bulk = window()
    first = read(bulk)
    bulk._delayed[1] = PendingRequest(1, {}, first.operation)  # an interrupt came before sending
    bulk.failed(first, rejected(429), now=0.0, jitter=1)
    assert bulk.step(0.0) == Wait(0.5, is_idle=True)
    bulk.stop()
    assert sent(bulk) == 1
    assert failure(reported(bulk)).status == 429


def test_a_throttled_request_is_not_sent_if_another_thread_stops_during_a_step() -> None:
    class StoppingLimiter(RateLimiter):
        def wait(self, now: float) -> float:
            bulk.stop()
            return super().wait(now)

    bulk = window(rate_limiter=StoppingLimiter(rate=None))
    first = bulk._delayed[0] = PendingRequest(0, {}, bulk.operation.operation({}))
    bulk.failed(first, rejected(429, 5.0), now=0.0, jitter=0)
    assert bulk.step(0.0) == Wait(5.0, is_idle=True)
    assert failure(reported(bulk)).status == 429


def test_a_signal_ends_a_wait_that_it_does_not_wake() -> None:
    handled = threading.Event()
    in_time: list[bool] = []

    def handle(_number: int, _frame: object) -> None:
        handled.set()
        raise KeyboardInterrupt

    def script() -> Iterator[bytes]:
        # The kernel wakes this thread instead of the main thread.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        in_time.append(handled.wait(10))
        yield answer()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with (
            ScriptedServer(script()) as server,
            Client(KEY, base_url=server.url) as client,
            client.conversations.create_many([{}]) as outcomes,
        ):
            with pytest.raises(KeyboardInterrupt):
                next(outcomes)
            assert [type(each) for each in outcomes] == [Created]
        assert in_time == [True]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_outcome_is_reported_after_an_interrupted_report() -> None:
    bulk = window(ordered=True)
    bulk.succeeded(read(bulk), TAKEN)
    bulk._reporting = 0
    bulk.drain()
    assert reported(bulk).index == 0


def test_a_request_that_was_added_but_not_sent_is_sent_after_a_failure() -> None:
    bulk = window(stop_on_error=True)
    first = read(bulk)
    bulk._delayed[1] = PendingRequest(1, {}, first.operation)
    bulk.failed(first, rejected(422), now=0.0, jitter=0)
    assert sent(bulk) == 1


def end(window: Window[Created], row: PendingRequest, how: str, now: float) -> None:
    match how:
        case "created":
            window.succeeded(row, TAKEN)
        case "later":
            window.failed(row, rejected(429, 1.0), now=now, jitter=0)
        case _:
            window.failed(row, rejected(400), now=now, jitter=0)


@given(
    size=st.integers(1, 5),
    count=st.integers(0, 20),
    ordered=st.booleans(),
    stop=st.booleans(),
    data=st.data(),
)
def test_every_request_that_was_read_has_one_outcome(
    size: int, count: int, ordered: bool, stop: bool, data: st.DataObject
) -> None:
    bulk = window(size=size, ordered=ordered, stop_on_error=stop)
    source = enumerate({} if data.draw(st.integers(0, 9)) else {"a": 1} for _ in range(count))
    flying: list[PendingRequest] = []
    given: list[int] = []
    now, taken = 0.0, 0
    while (step := bulk.step(now)) is not Step.END:
        match step:
            case PendingRequest():
                flying.append(step)
            case Step.READ:
                bulk.inbox.extend(itertools.islice(source, 1))
                if not bulk.inbox:
                    bulk.drain()
            case Step.ADD:
                taken += 1
                added = bulk.add(now=now)
                flying += [added] if added else []
            case Wait(seconds, is_idle):
                assert is_idle is not bool(flying)
                if is_idle:
                    now += seconds
                    continue
                row = flying.pop(data.draw(st.integers(0, len(flying) - 1)))
                end(bulk, row, data.draw(st.sampled_from(["created", "later", "failed"])), now)
            case Step.REPORT:
                given.append(bulk.report().index)
        assert len(flying) <= taken - len(given) <= size
    assert not flying
    assert sorted(given) == list(range(taken))
    assert not ordered or given == sorted(given)
    assert stop or taken == count
