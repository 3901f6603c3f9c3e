"""What type checkers say of calls; checked, never run."""

from typing import Literal, assert_type

import httpx
import httpx2

from conversations_client import (
    UNSET,
    AsyncClient,
    Client,
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationMetadataParam,
    Delivery,
    RateLimitError,
    Retry,
    Timeout,
    Unset,
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


async def asynchronous(client: AsyncClient) -> None:
    assert_type(await client.conversations.create(display_name="a"), Conversation)
    assert_type(client.with_options(project_id=None), AsyncClient)
    async with client as entered:
        assert_type(entered, AsyncClient)


def narrowing(metadata: ConversationMetadata, error: RateLimitError) -> None:
    if metadata.entity_id is UNSET:
        assert_type(metadata.entity_id, Literal[Unset.UNSET])
    else:
        assert_type(metadata.entity_id, str | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.delivery, Delivery)
    assert_type(structure({}, Conversation), Conversation)


def wrong(client: Client, conversation: Conversation) -> None:
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
