"""Many retrievals and deletions with a real server in every variant."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from many import run_many
from revisions import required
from scripted import CONVERSATION, HANG_UP, ScriptedServer, answer
from variants import Variant, World

from conversations_client import (
    AuthenticationError,
    Client,
    Conversation,
    ConversationWithMessages,
    Deleted,
    Delivery,
    DisconnectError,
    Failed,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    Retrieved,
    Retry,
    ServerError,
    structure,
)
from conversations_client.sandbox import Sandbox

METHODS = pytest.mark.parametrize("method", ["retrieve_many", "delete_many"])
GONE = answer(204, b"")
FOUND = answer(200)
SUCCESS = {"retrieve_many": FOUND, "delete_many": GONE}
CLASSES: dict[str, type] = {"retrieve_many": Retrieved, "delete_many": Deleted}


def ids(count: int) -> Iterator[str]:
    return (f"conv_{index}" for index in range(count))


def create(client: Client, count: int, **arguments: Any) -> list[Conversation]:
    return [
        client.conversations.create(display_name=f"number {n}", **arguments) for n in range(count)
    ]


def id_of(conversation: Conversation) -> str:
    assert conversation.id is not None
    return conversation.id


def test_each_id_has_one_outcome_with_its_messages(variant: Variant, revision: int) -> None:
    with (
        Sandbox(revision=revision) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        there = create(client, 20, **required(revision))
        first = id_of(there[0])
        if revision == 2:
            client.conversations.responses.create(first, message="hello", model="sandbox/echo")
        found = run_many(
            variant,
            "retrieve_many",
            [id_of(one) for one in there],
            ordered=True,
            client={"api_key": sandbox.api_key, "base_url": sandbox.url},
        )
        expected = [client.conversations.retrieve(id_of(one)) for one in there]
    assert [outcome.index for outcome in found] == list(range(20))
    assert [outcome.conversation for outcome in found] == expected
    assert [outcome.conversation_id for outcome in found] == [one.id for one in expected]
    assert bool(expected[0].messages) == (revision == 2)


def test_deleted_conversations_do_not_exist(variant: Variant, revision: int) -> None:
    with (
        Sandbox(revision=revision) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        there = [id_of(one) for one in create(client, 20, **required(revision))]
        found = run_many(
            variant,
            "delete_many",
            [*there[:15], "conv_unknown"],
            client={"api_key": sandbox.api_key, "base_url": sandbox.url},
        )
        left = {one.id for one in client.conversations.list()}
    assert left == set(there[15:])
    deleted = [outcome for outcome in found if isinstance(outcome, Deleted)]
    assert {one.index: one.conversation_id for one in deleted} == dict(enumerate(there[:15]))
    (failed,) = (outcome for outcome in found if isinstance(outcome, Failed))
    assert (failed.index, failed.conversation_id) == (15, "conv_unknown")
    assert isinstance(failed.error, NotFoundError)
    assert not failed.may_have_acted


@METHODS
def test_an_invalid_id_is_a_failure_and_nothing_is_sent(variant: Variant, method: str) -> None:
    items: list[Any] = ["", 5, "..", None, "a/b?c"]
    with ScriptedServer([SUCCESS[method]] * 9) as server:
        found = run_many(variant, method, items, ordered=True, client={"base_url": server.url})
    assert [seen.target for seen in server.seen] == ["/v2/conversations/a%2Fb%3Fc"]
    assert [type(outcome) for outcome in found] == [Failed] * 4 + [CLASSES[method]]
    assert [outcome.conversation_id for outcome in found] == ["", None, "..", None, "a/b?c"]
    assert {type(outcome.error) for outcome in found[:4]} == {InvalidArgumentError}


@METHODS
@pytest.mark.parametrize(
    ("items", "words"),
    [
        (3, "conversation_ids must be an iterable of conversation IDs, not int."),
        (
            "conv_1",
            "conversation_ids must be an iterable of conversation IDs, not str: pass a list.",
        ),
        (
            b"conv_1",
            "conversation_ids must be an iterable of conversation IDs, not bytes: pass a list.",
        ),
    ],
)
def test_a_single_id_is_rejected_immediately(
    variant: Variant, method: str, items: Any, words: str
) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        run_many(variant, method, items, client={"base_url": "http://127.0.0.1:9"})
    assert str(raised.value) == words


@METHODS
def test_a_call_is_repeated_because_it_is_idempotent(variant: Variant, method: str) -> None:
    """Unlike a create request, it is repeated after the first two attempts have unknown outcomes."""
    world = World()
    script = [answer(500), SUCCESS[method], HANG_UP, SUCCESS[method]]
    with ScriptedServer(script) as server:
        found = run_many(
            variant, method, ids(2), world=world, max_in_flight=1, client={"base_url": server.url}
        )
    assert [type(outcome) for outcome in found] == [CLASSES[method]] * 2
    assert len(world.pauses) == 2
    assert all("idempotency-key" not in seen.headers for seen in server.seen)


@METHODS
def test_a_call_fails_after_all_attempts(variant: Variant, method: str) -> None:
    script = [answer(500), answer(502), HANG_UP, HANG_UP]
    retry = Retry(attempts=2, wait_initial=0)
    with ScriptedServer(script) as server:
        found = run_many(
            variant,
            method,
            ids(2),
            max_in_flight=1,
            client={"base_url": server.url, "retry": retry},
        )
    errors = [outcome.error for outcome in found]
    assert [type(error) for error in errors] == [ServerError, DisconnectError]
    assert [(error.attempts, error.delivery) for error in errors] == [(2, Delivery.UNKNOWN)] * 2


def test_a_repeated_deletion_reports_that_it_took_effect(variant: Variant) -> None:
    with ScriptedServer([answer(500), answer(404, {"message": "gone"})]) as server:
        (found,) = run_many(
            variant,
            "delete_many",
            ["conv_1"],
            client={"base_url": server.url, "retry": Retry(wait_initial=0)},
        )
    assert isinstance(found.error, NotFoundError)
    assert found.may_have_acted


@METHODS
def test_all_wait_when_the_service_throttles_one(variant: Variant, method: str) -> None:
    world = World()
    script = [answer(429, retry_after="7"), answer(503, retry_after="3"), *[SUCCESS[method]] * 2]
    with ScriptedServer(script) as server:
        found = run_many(
            variant, method, ids(2), world=world, max_in_flight=1, client={"base_url": server.url}
        )
    assert world.pauses == [7.0, 3.0]
    assert [type(outcome) for outcome in found] == [CLASSES[method]] * 2
    targets = [seen.target.rpartition("/")[2] for seen in server.seen]
    assert targets == ["conv_0", "conv_0", "conv_0", "conv_1"]


@METHODS
def test_the_backoff_is_shared_with_creates(variant: Variant, method: str) -> None:
    world = World()

    def sync(client: Any) -> None:
        with client.conversations.create_many([{}]) as outcomes:
            assert isinstance(next(outcomes).error, RateLimitError)
        with getattr(client.conversations, method)(ids(1)) as outcomes:
            assert isinstance(next(outcomes), CLASSES[method])

    async def asynchronous(client: Any) -> None:
        async with client.conversations.create_many([{}]) as outcomes:
            assert isinstance((await anext(outcomes)).error, RateLimitError)
        async with getattr(client.conversations, method)(ids(1)) as outcomes:
            assert isinstance(await anext(outcomes), CLASSES[method])

    with ScriptedServer([answer(429, retry_after="7"), SUCCESS[method]]) as server:
        variant.run(
            sync if variant.name == "sync" else asynchronous,
            world=world,
            api_key="key",
            base_url=server.url,
            retry=Retry(attempts=1),
        )
    assert world.pauses == [7.0]


@METHODS
def test_a_rate_is_not_exceeded(variant: Variant, method: str) -> None:
    world = World()
    with ScriptedServer([SUCCESS[method]] * 3) as server:
        run_many(
            variant,
            method,
            ids(3),
            world=world,
            max_in_flight=1,
            rate=4,
            client={"base_url": server.url},
        )
    assert world.pauses == [0.25] * 3


@METHODS
def test_a_failure_can_stop_the_rest(variant: Variant, method: str) -> None:
    items = ids(10)
    with ScriptedServer([SUCCESS[method], answer(401)]) as server:
        found = run_many(
            variant,
            method,
            items,
            max_in_flight=1,
            stop_on_error=True,
            client={"base_url": server.url},
        )
    assert [type(outcome) for outcome in found] == [CLASSES[method], Failed]
    assert isinstance(found[1].error, AuthenticationError)
    assert next(items) == "conv_2"


@METHODS
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_ids_can_come_from_an_async_iterable(backend: str, method: str) -> None:
    async def items() -> AsyncIterator[str]:
        for item in ids(5):
            await anyio.lowlevel.checkpoint()
            yield item

    with ScriptedServer([SUCCESS[method]] * 5) as server:
        found = run_many(
            Variant(backend), method, items(), max_in_flight=1, client={"base_url": server.url}
        )
    assert [outcome.conversation_id for outcome in found] == list(ids(5))


def test_an_outcome_has_the_request_id(variant: Variant) -> None:
    script = [answer(200, x_request_id="req_1"), answer(404, x_request_id="req_2"), FOUND]
    with ScriptedServer(script) as server:
        first, second, third = run_many(
            variant, "retrieve_many", ids(3), max_in_flight=1, client={"base_url": server.url}
        )
    assert first == Retrieved(
        0, structure(CONVERSATION, ConversationWithMessages), "conv_0", "req_1"
    )
    assert second.error.request_id == "req_2"
    assert third.request_id is None


def test_an_undocumented_response_fails_only_its_call(variant: Variant) -> None:
    script = [answer(200, json.dumps([]).encode()), FOUND]
    with ScriptedServer(script) as server:
        found = run_many(
            variant, "retrieve_many", ids(2), max_in_flight=1, client={"base_url": server.url}
        )
    assert [type(outcome) for outcome in found] == [Failed, Retrieved]
