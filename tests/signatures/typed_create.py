"""Calls for type checkers; never run."""

from collections.abc import AsyncIterator
from typing import assert_never, assert_type

import httpx
import httpx2

from conversations_client import (
    UNSET,
    AsyncClient,
    AsyncOutcomes,
    Client,
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationMetadataParam,
    ConversationsError,
    ConversationWithMessages,
    Created,
    CreateOutcome,
    CreateRequest,
    Deleted,
    DeleteOutcome,
    Delivery,
    Failed,
    Outcomes,
    RateLimitError,
    Retrieved,
    RetrieveOutcome,
    Retry,
    Timeout,
    structure,
)


def sync(client: Client, metadata: ConversationMetadataParam) -> None:
    conversation = client.conversations.create(display_name="a", metadata=metadata)
    assert_type(conversation, Conversation)
    assert_type(conversation.id, str | None)
    assert_type(conversation.kind, ConversationKind | str)
    assert_type(conversation.created_at, float)
    assert_type(conversation.metadata, ConversationMetadata | None)
    client.conversations.create()
    client.conversations.create(metadata={"entity_id": None, "model": "m"}, project_id=None)
    client.conversations.create(metadata=ConversationMetadata(), display_name=UNSET)
    assert_type(client.with_options(timeout=1, retry=Retry(attempts=1)), Client)
    assert_type(client.with_options(timeout=Timeout(idle=None)), Client)
    with client as entered:
        assert_type(entered, Client)


def many(client: Client, outcome: CreateOutcome) -> int:
    requests = [CreateRequest(display_name="a"), CreateRequest(metadata={"entity_id": None})]
    with client.conversations.create_many(requests, max_in_flight=4, rate=1.5) as outcomes:
        assert_type(outcomes, Outcomes)
        for one in outcomes:
            assert_type(one, Created | Failed)
    client.conversations.create_many({"display_name": name} for name in ("a", "b"))
    match outcome:
        case Created(index, conversation):
            assert_type(conversation, Conversation)
            return index
        case Failed(index, error):
            assert_type(error, ConversationsError)
            return index
        case _:
            assert_never(outcome)


def retrieve_and_delete_many(client: Client, outcome: RetrieveOutcome | DeleteOutcome) -> int:
    with client.conversations.retrieve_many(["conv_1"], max_in_flight=4, rate=1.5) as retrieved:
        assert_type(retrieved, Outcomes[Retrieved])
        for one in retrieved:
            assert_type(one, Retrieved | Failed)
    with client.conversations.delete_many(iter(["conv_1"])) as deleted:
        assert_type(deleted, Outcomes[Deleted])
        for other in deleted:
            assert_type(other, Deleted | Failed)
    match outcome:
        case Retrieved(index, conversation, conversation_id):
            assert_type(conversation, ConversationWithMessages)
            assert_type(conversation_id, str)
            return index
        case Deleted(index, conversation_id):
            assert_type(conversation_id, str)
            return index
        case Failed(index):
            assert_type(outcome.conversation_id, str | None)
            return index
        case _:
            assert_never(outcome)


async def retrieve_and_delete_many_async(client: AsyncClient, ids: AsyncIterator[str]) -> None:
    async with client.conversations.retrieve_many(ids) as retrieved:
        assert_type(retrieved, AsyncOutcomes[Retrieved])
        async for one in retrieved:
            assert_type(one, Retrieved | Failed)
    async with client.conversations.delete_many(["conv_1"]) as deleted:
        assert_type(deleted, AsyncOutcomes[Deleted])
        async for other in deleted:
            assert_type(other, Deleted | Failed)


async def asynchronous_many(client: AsyncClient, requests: AsyncIterator[CreateRequest]) -> None:
    async with client.conversations.create_many(requests, ordered=True) as outcomes:
        assert_type(outcomes, AsyncOutcomes)
        async for one in outcomes:
            assert_type(one, Created | Failed)
    client.conversations.create_many([{"display_name": "a", "project_id": None}])


async def asynchronous(client: AsyncClient) -> None:
    assert_type(await client.conversations.create(display_name="a"), Conversation)
    assert_type(client.with_options(project_id=None), AsyncClient)
    async with client as entered:
        assert_type(entered, AsyncClient)


def narrowing(metadata: ConversationMetadata, error: RateLimitError) -> None:
    assert_type(metadata.entity_id, str | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.delivery, Delivery)
    assert_type(structure({}, Conversation), Conversation)


def wrong(
    client: Client, conversation: Conversation, requests: AsyncIterator[CreateRequest]
) -> None:
    client.conversations.create_many(requests)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.conversations.create_many([{"displayName": "a"}])  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
    client.conversations.create_many([], 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.conversations.create("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.conversations.create(display_name=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.conversations.create(name="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.conversations.create(metadata={"entityId": "a"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.conversations.create(metadata={"generating_title": None})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.with_options(base_url="https://x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    conversation.id = "conv_1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Retry(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def injected(own: httpx.Client, fork: httpx2.Client) -> None:
    Client(http_client=own)
    Client(http_client=fork)
    AsyncClient(http_client=own)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def injected_async(own: httpx.AsyncClient, fork: httpx2.AsyncClient) -> None:
    AsyncClient(http_client=own)
    AsyncClient(http_client=fork)
    Client(http_client=fork)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
