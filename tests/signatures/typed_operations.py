"""Calls to other operations for type checkers; never run."""

from typing import TYPE_CHECKING, Any, assert_never, assert_type, cast

from conversations_client import (
    UNSET,
    AsyncClient,
    AsyncPages,
    Client,
    Conversation,
    ConversationPage,
    ConversationWithMessages,
    DataPart,
    ErrorPart,
    FilePart,
    Message,
    MessageRole,
    Pages,
    Part,
    RawResponse,
    ReasoningPart,
    TextPart,
    Timeout,
    ToolResultPart,
    UnknownPart,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def sync(client: Client) -> None:
    found = client.conversations.retrieve("conv_1")
    assert_type(found, ConversationWithMessages)
    assert_type(found.messages, tuple[Message, ...] | None)
    assert_type(client.conversations.update("conv_1", display_name="a"), Conversation)
    assert_type(client.conversations.update("a", metadata={"entity_id": None}), Conversation)
    assert_type(client.conversations.generate_name("conv_1", context="a"), Conversation)
    listing = client.conversations.list(limit=3)
    assert_type(listing, Pages)
    for conversation in listing:
        assert_type(conversation, Conversation)
    for page in listing.pages(after="conv_1"):
        assert_type(page, ConversationPage)
        assert_type(page.data, tuple[Conversation, ...])
    raw = client.conversations.with_raw_response
    assert_type(raw.create(), RawResponse[Conversation])
    assert_type(raw.retrieve("a").parsed, ConversationWithMessages)
    assert_type(raw.delete("a"), RawResponse[None])
    assert_type(raw.list(), RawResponse[ConversationPage])
    assert_type(raw.update("a", metadata={"entity_id": None}), RawResponse[Conversation])
    assert_type(raw.generate_name("a", context="b"), RawResponse[Conversation])
    gone: Callable[[str], None] = client.conversations.delete
    gone("conv_1")
    assert_type(client.request("GET", "/x", returns=Message), RawResponse[Message])
    assert_type(client.request("GET", "/x", returns=dict[str, Any]).parsed, dict[str, Any])
    union = cast("type[list[int] | None]", list[int] | None)
    assert_type(client.request("GET", "/x", returns=union).parsed, list[int] | None)


def naive(client: Client) -> str:
    conversation = client.conversations.create(display_name="Product Feature Discussion")
    response = client.conversations.responses.create(conversation, message="Hi", model="a/b")
    client.conversations.update(conversation, display_name="Discussion")
    found = client.conversations.retrieve(conversation)
    client.conversations.delete(found)
    return response.text


def conversations_for_ids(
    client: Client, one: Conversation, found: ConversationWithMessages
) -> None:
    assert_type(client.conversations.list(starting_after=one), Pages)
    assert_type(client.conversations.list(ending_before=found), Pages)
    client.conversations.list().pages(after=one)
    client.conversations.generate_name(found, context="a")
    client.conversations.retrieve_many([one, found, "conv_1"])
    client.conversations.delete_many(client.conversations.list())
    assert_type(client.conversations.with_raw_response.delete(one), RawResponse[None])


def options(client: Client, one: Conversation) -> None:
    client.conversations.create(timeout=5, extra_headers={"X-Trace": "a"})
    client.conversations.retrieve(one, timeout=None)
    client.conversations.with_raw_response.retrieve(one, timeout=Timeout(idle=5))
    client.conversations.list(timeout=UNSET)
    client.request("GET", "/x", returns=Message, timeout=5, extra_headers={})
    assert_type(client.with_options(extra_headers={"X-Trace": "a"}), Client)
    client.with_options(extra_headers=None).with_options(extra_headers=UNSET)
    Client(extra_headers={"User-Agent": "a"})
    AsyncClient(extra_headers=None).with_options(extra_headers={})


def wrong_options(client: Client, one: Conversation) -> None:
    client.conversations.retrieve(one.id)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.conversations.retrieve(one, 5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.conversations.create(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.with_options(extra_headers=["X"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client(extra_headers={"X": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    client.conversations.create(extra_headers={"X": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


async def naive_async(client: AsyncClient) -> str:
    conversation = await client.conversations.create(display_name="Product Feature Discussion")
    responses = client.conversations.responses
    response = await responses.create(conversation, message="Hi", model="a/b", timeout=5)
    client.conversations.delete_many(client.conversations.list())
    await client.conversations.delete(conversation, extra_headers={"X-Trace": "a"})
    return response.text


async def asynchronous(client: AsyncClient) -> None:
    assert_type(await client.conversations.retrieve("a"), ConversationWithMessages)
    listing = client.conversations.list()
    assert_type(listing, AsyncPages)
    async for conversation in listing:
        assert_type(conversation, Conversation)
    async for page in listing.pages():
        assert_type(page, ConversationPage)
    assert_type(await client.conversations.update("a", display_name="b"), Conversation)
    assert_type(await client.conversations.generate_name("a", context="b"), Conversation)
    gone: Callable[[str], Awaitable[None]] = client.conversations.delete
    await gone("conv_1")
    raw = client.conversations.with_raw_response
    assert_type(await raw.create(), RawResponse[Conversation])
    assert_type(await raw.retrieve("a"), RawResponse[ConversationWithMessages])
    assert_type(await raw.delete("a"), RawResponse[None])
    assert_type(await raw.list(limit=3), RawResponse[ConversationPage])
    assert_type(await raw.generate_name("a", context="b"), RawResponse[Conversation])
    assert_type(await raw.update("a", display_name="x"), RawResponse[Conversation])
    assert_type(await client.request("GET", "/x", returns=Message), RawResponse[Message])


def parts(part: Part, message: Message) -> str:
    assert_type(message.role, MessageRole | str)
    match part:
        case TextPart():
            return part.text
        case FilePart():
            assert_type(part.content, bytes | str)
            return ""
        case ToolResultPart():
            return part.tool_call_id
        case ErrorPart():
            return part.error
        case ReasoningPart():
            return part.reasoning
        case DataPart():
            return str(part.data)
        case UnknownPart():
            return part.kind
        case _:
            assert_never(part)


def wrong(client: Client) -> None:
    client.conversations.retrieve()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.conversations.update("a", metadata={"model": "m"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.conversations.generate_name("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.conversations.list(5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
