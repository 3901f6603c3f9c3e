"""Cancels calls of an async client at every await."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import trio
from interrupting import CANCELLERS, interrupted, steps_of
from scripted import CONVERSATION
from serving import AnsweringServer
from variants import KEY

from conversations_client import AsyncClient, AsyncHooks, ClientClosedError, CreateRequest
from conversations_client._client.many.background_tasks import BackgroundTasks

LIMIT_SECONDS = 10

REQUESTS: list[CreateRequest] = [{}, {}, {}]
Scenario = Callable[[AsyncClient], Awaitable[None]]


async def pause(_: object) -> None:
    """A hook that awaits, so that a call can be cancelled there too."""
    await anyio.lowlevel.checkpoint()


def stream(client: AsyncClient) -> Any:
    return client.conversations.responses.stream("conv_1", message="Hello", model="a/b")


async def create(client: AsyncClient) -> None:
    assert (await client.conversations.create()).id == CONVERSATION["_id"]


async def read_a_stream(client: AsyncClient) -> None:
    async with stream(client) as events:
        assert (await events.collect()).text == "One two "


async def leave_a_stream(client: AsyncClient) -> None:
    async with stream(client) as events:
        await anext(events)


async def list_all(client: AsyncClient) -> None:
    assert [each.id async for each in client.conversations.list()] == [CONVERSATION["_id"]]


async def list_pages(client: AsyncClient) -> None:
    assert [len(page.data) async for page in client.conversations.list().pages()] == [1]


async def create_many(client: AsyncClient) -> None:
    async with client.conversations.create_many(REQUESTS, max_in_flight=2) as outcomes:
        assert sorted([outcome.index async for outcome in outcomes]) == [0, 1, 2]


async def retrieve_many(client: AsyncClient) -> None:
    async with client.conversations.retrieve_many(["conv_1"] * 3, max_in_flight=2) as outcomes:
        await anext(outcomes)


async def read_text(client: AsyncClient) -> None:
    async with stream(client) as events:
        assert "".join([text async for text in events.text_deltas()]) == "One two "


async def use_all_connections(client: AsyncClient) -> None:
    """A lost slot would block the second stream, and an extra slot would remain."""
    async with stream(client) as one, stream(client) as two:
        connections: Any = client._connections
        slots = connections._pool()._slots
        assert (len(slots._empty), len(slots._idle)) == (0, 0)
        for events in (one, two):
            assert (await events.collect()).text == "One two "
    await create(client)


async def nothing(_: AsyncClient) -> None:
    """Do nothing with the client."""


CALLS = [
    create,
    read_a_stream,
    read_text,
    leave_a_stream,
    list_all,
    list_pages,
    create_many,
    retrieve_many,
]


@pytest.mark.parametrize("before", [nothing, use_all_connections])
@pytest.mark.parametrize("call", CALLS)
@CANCELLERS
def test_cancelling_a_call_anywhere_leaks_no_connection(
    backend: str, natively: bool, call: Scenario, before: Scenario
) -> None:
    async def cut_at(step: int) -> bool:
        async with AsyncClient(
            KEY,
            base_url=server.url,
            max_connections=2,
            timeout=5,
            hooks=AsyncHooks(on_request=pause, on_response=pause),
        ) as client:
            await before(client)
            cut = await interrupted(lambda: call(client), step=step, natively=natively)
            await use_all_connections(client)
        return cut

    with AnsweringServer() as server:
        # It awaits both hooks and the response.
        assert anyio.run(steps_of, cut_at, backend=backend) > 3
    gc.collect()  # an unclosed socket would emit a warning


@CANCELLERS
def test_cancelling_a_waiting_call_leaks_no_connection(backend: str, natively: bool) -> None:
    async def cut_at(step: int) -> bool:
        cut = False
        async with AsyncClient(KEY, base_url=server.url, max_connections=2, timeout=5) as client:
            async with anyio.create_task_group() as tasks:
                held = [stream(client), stream(client)]
                for each in held:
                    await each.__aenter__()
                tasks.start_soon(end_when_awaited, held)
                cut = await interrupted(lambda: create(client), step=step, natively=natively)
            await use_all_connections(client)
        return cut

    with AnsweringServer() as server:
        assert anyio.run(steps_of, cut_at, backend=backend) > 3
    gc.collect()  # as above


@CANCELLERS
def test_a_cancelled_close_can_be_repeated(backend: str, natively: bool) -> None:
    async def cut_at(step: int) -> bool:
        client = AsyncClient(KEY, base_url=server.url, max_connections=2, timeout=5)
        await use_all_connections(client)
        cut = await interrupted(client.aclose, step=step, natively=natively)
        with pytest.raises(ClientClosedError):
            await create(client)
        await client.aclose()
        return cut

    with AnsweringServer() as server:
        anyio.run(steps_of, cut_at, backend=backend)
    gc.collect()  # as above


@CANCELLERS
def test_outcomes_are_complete_after_a_cancellation(backend: str, natively: bool) -> None:
    async def cut_at(step: int) -> bool:
        found: list[int] = []
        async with (
            AsyncClient(KEY, base_url=server.url, max_connections=2, timeout=5) as client,
            client.conversations.create_many(REQUESTS, max_in_flight=2, ordered=True) as outcomes,
        ):

            async def read() -> None:
                async for outcome in outcomes:
                    found.append(outcome.index)  # noqa: PERF401 - one by one, because it is cancelled

            cut = await interrupted(read, step=step, natively=natively)
            await read()
        assert found == [0, 1, 2]
        return cut

    with AnsweringServer() as server:
        assert anyio.run(steps_of, cut_at, backend=backend) > 3
    gc.collect()  # as above


def test_iterating_ends_if_other_code_cancels_the_calls() -> None:
    started = anyio.Event()

    async def stall(_: object) -> None:
        started.set()
        await anyio.sleep_forever()

    async def cancel_others(iterating: asyncio.Task[None] | None) -> None:
        await started.wait()
        for task in asyncio.all_tasks() - {iterating, asyncio.current_task()}:
            task.cancel()

    async def iterate() -> None:
        hooks = AsyncHooks(on_request=stall)
        async with AsyncClient(KEY, base_url="http://127.0.0.1:1", hooks=hooks) as client:
            cancelling = asyncio.create_task(cancel_others(asyncio.current_task()))
            with anyio.fail_after(LIMIT_SECONDS) as limit, pytest.raises(asyncio.CancelledError):
                await create_many(client)
            assert not limit.cancel_called
            await cancelling

    asyncio.run(iterate())


def test_a_task_that_was_cancelled_before_its_first_step_is_not_awaited() -> None:
    async def never_runs() -> None:
        raise AssertionError

    async def join() -> None:
        tasks, skipped = BackgroundTasks(), list[BaseException]()
        tasks.start(never_runs, skipped=skipped.append)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with anyio.fail_after(LIMIT_SECONDS):
            await tasks.join()
        assert [type(error) for error in skipped] == [asyncio.CancelledError]

    asyncio.run(join())


def test_a_task_that_an_interrupt_kept_from_starting_is_not_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    async def join() -> None:
        tasks = BackgroundTasks()
        with pytest.raises(KeyboardInterrupt):
            tasks.start(anyio.sleep_forever, skipped=print)
        with anyio.fail_after(LIMIT_SECONDS):
            await tasks.join()

    monkeypatch.setattr(trio.lowlevel, "spawn_system_task", interrupt)
    anyio.run(join, backend="trio")


async def end_when_awaited(held: list[Any]) -> None:
    await anyio.wait_all_tasks_blocked()
    for each in held:
        await each.aclose()
