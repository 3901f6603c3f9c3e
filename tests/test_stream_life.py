"""A stream releases its connection in every case."""

import contextlib
import gc
import re
import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import anyio
import pools
import pytest
from pools import FakeBody, either
from streaming import played
from variants import Variant

from conversations_client import (
    AsyncClient,
    Conversation,
    FinishReason,
    ResponseStarted,
    StreamClosedError,
)
from conversations_client._engine.response_body import AsyncResponseBody, ResponseBody, ResponseHead
from conversations_client._http.connections.wire import WireResponse
from conversations_client.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Sends one event, and the next a minute later."""
    with Sandbox(pace=60) as sandbox:
        yield sandbox


@pytest.fixture
def options(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "api_key": sandbox.api_key,
        "base_url": sandbox.url,
        "max_connections": 2,
        "timeout": 20,
    }


def stream(client: Any, conversation: Conversation) -> Any:
    return client.conversations.responses.stream(
        conversation.id, message="One two three", model="sandbox/echo"
    )


async def by_break(events: Any) -> None:
    async with events:
        async for event in events:
            assert isinstance(event, ResponseStarted)
            break


async def unread(events: Any) -> None:
    async with events:
        pass


async def by_exception(events: Any) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with events:
            async for _ in events:
                raise ZeroDivisionError


async def by_close(events: Any) -> None:
    async with events:
        await anext(events)
        await events.aclose()


async def by_generator_exit(events: Any) -> None:
    async def generated() -> AsyncIterator[Any]:
        async with events:
            async for event in events:
                yield event

    left = generated()
    await anext(left)
    await left.aclose()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def by_leaving_text(events: Any) -> None:
    async with events:
        await anext(events)
        words = events.text_deltas()
    del words


async def by_cancel_while_waiting(events: Any) -> None:
    async with events:
        await anext(events)
        with anyio.CancelScope(deadline=-1):
            await anext(events)


async def by_surrounding_cancel(events: Any) -> None:
    with anyio.CancelScope() as scope:
        async with events:
            async for _ in events:
                scope.cancel()


async def by_cancel_in_another_task(events: Any) -> None:
    async def read() -> None:
        async with events:
            async for _ in events:
                has_begun.set()

    has_begun = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await has_begun.wait()
        tasks.cancel_scope.cancel()


WAYS = [by_break, unread, by_exception, by_close, by_generator_exit, by_leaving_text]
ASYNC_WAYS = [by_cancel_while_waiting, by_surrounding_cancel, by_cancel_in_another_task]


def test_200_streams_closed_after_one_event(variant: Variant, options: dict[str, Any]) -> None:
    ways = WAYS if variant.name == "sync" else WAYS + ASYNC_WAYS

    async def scenario(client: Any) -> Any:
        conversation = await client.conversations.create()
        for number in range(200):
            await ways[number % len(ways)](stream(client, conversation))
        return await client.conversations.create(display_name="next")

    found = variant.run(lambda client: played(client, scenario), **options)
    assert found.display_name == "next"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_200_concurrent_streams_over_two_connections(options: dict[str, Any], backend: str) -> None:
    async def main() -> Any:
        async with AsyncClient(**options) as client:
            conversation = await client.conversations.create()
            async with anyio.create_task_group() as tasks:
                for number in range(200):
                    leave = (WAYS + ASYNC_WAYS)[number % 9]
                    tasks.start_soon(leave, stream(client, conversation))
            return await client.conversations.create(display_name="next")

    assert anyio.run(main, backend=backend).display_name == "next"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_two_tasks_in_one_stream(options: dict[str, Any], backend: str) -> None:
    async def main() -> None:
        async with AsyncClient(**options) as client:
            conversation = await client.conversations.create()
            async with stream(client, conversation) as events:
                await anext(events)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(anext, events)
                    await anyio.wait_all_tasks_blocked()
                    with pytest.raises(StreamClosedError, match="Another task is reading"):
                        await anext(events)
                    tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)


def test_a_stream_whose_close_is_interrupted_is_closed(
    variant: Variant, options: dict[str, Any]
) -> None:
    closed: list[bool] = []

    class Interrupted(BaseException):
        pass

    def interrupt_first(close: Any) -> Any:
        def interrupted(**given: Any) -> Any:
            closed.append(True)
            if len(closed) == 1:
                raise Interrupted
            return close(**given)

        return interrupted

    def sync(client: Any) -> Any:
        conversation = client.conversations.create()
        with pytest.raises(Interrupted), stream(client, conversation) as events:
            events._body.close = interrupt_first(events._body.close)
        return client.conversations.create(display_name="next")

    async def asynchronous(client: Any) -> Any:
        conversation = await client.conversations.create()
        with pytest.raises(Interrupted):
            async with stream(client, conversation) as events:
                events._body.aclose = interrupt_first(events._body.aclose)
        return await client.conversations.create(display_name="next")

    scenario = sync if variant.name == "sync" else asynchronous
    options["max_connections"] = 1
    found = variant.run(scenario, **options)
    assert (found.display_name, len(closed)) == ("next", 2)


def test_two_concurrent_streams(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        conversation = await client.conversations.create()
        async with stream(client, conversation) as one, stream(client, conversation) as two:
            both = [await anext(each) for each in (one, two, one, two)]
            return both, [await each.collect() for each in (two, one)]

    with Sandbox() as sandbox:
        both, responses = variant.run(
            lambda client: played(client, scenario),
            api_key=sandbox.api_key,
            base_url=sandbox.url,
            max_connections=2,
        )
    assert [event.type for event in both] == ["response.started"] * 2 + ["part.delta"] * 2
    assert [response.text for response in responses] == ["One two three"] * 2
    assert {response.finish_reason for response in responses} == {FinishReason.STOP}


def test_200_abandoned_streams(variant: Variant, options: dict[str, Any]) -> None:
    async def scenario(client: Any) -> Any:
        conversation = await client.conversations.create()
        for _ in range(200):
            events = stream(client, conversation)
            await events.__aenter__()
            await anext(events)
            del events
        return await client.conversations.create(display_name="next")

    with warnings.catch_warnings(record=True) as caught:
        # On trio, the objects below the stream warn as well.
        warnings.simplefilter("always", ResourceWarning)
        found = variant.run(lambda client: played(client, scenario), **options)
    assert found.display_name == "next"
    unclosed = re.compile("unclosed (Async)?Stream: use it in a with block")
    assert sum(unclosed.fullmatch(str(each.message)) is not None for each in caught) == 200


def test_an_abandoned_stream_is_closed_if_warnings_are_errors(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Any] = []

    def note(unraisable: Any) -> None:
        raised.append(type(unraisable.exc_value))

    monkeypatch.setattr(sys, "unraisablehook", note)

    async def scenario(client: Any) -> Any:
        conversation = await client.conversations.create()
        for _ in range(3):
            await stream(client, conversation).__aenter__()
        return await client.conversations.create(display_name="next")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Variant("sync").run(lambda client: played(client, scenario), **options)
    assert found.display_name == "next"
    assert raised == [ResourceWarning] * 3


def test_streams_that_were_not_opened_or_are_closed_do_not_warn(
    variant: Variant, options: dict[str, Any]
) -> None:
    async def scenario(client: Any) -> None:
        conversation = await client.conversations.create()
        stream(client, conversation)
        await by_break(stream(client, conversation))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        variant.run(lambda client: played(client, scenario), **options)
        gc.collect()
    assert [each for each in caught if "Stream" in str(each.message)] == []


def test_the_end_of_a_stream_is_reported_once(variant: Variant) -> None:
    response = WireResponse(200, [])
    response.body = FakeBody(b"")
    ends: list[BaseException | None] = []
    error = StreamClosedError("broke.")

    async def scenario() -> None:
        body: Any = (ResponseBody if variant.name == "sync" else AsyncResponseBody)(
            cast("ResponseHead", None), response
        )
        close = body.close if variant.name == "sync" else body.aclose
        body.on_close = ends.append
        await either(close(error=error))
        await either(close())
        body.abandon()

    pools.run(variant, scenario)
    assert ends == [error]
