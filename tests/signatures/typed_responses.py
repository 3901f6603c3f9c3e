"""Streamed responses for type checkers; never run."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_never, assert_type

from conversations_client import (
    AsyncClient,
    AsyncStream,
    Client,
    Event,
    EventTooLargeError,
    FilePart,
    FinishReason,
    Part,
    PartDelta,
    PartDone,
    PartialResponse,
    RawResponse,
    Response,
    ResponseDone,
    ResponseFailed,
    ResponseFailedError,
    ResponseStarted,
    Stream,
    StreamTruncatedError,
    TextPart,
    ToolCall,
    ToolDone,
    ToolFailed,
    ToolResultPart,
    ToolReview,
    ToolReviewDone,
    ToolReviewRequested,
    ToolStarted,
    UnknownEvent,
    Usage,
    UserMessage,
)


def sync(client: Client) -> None:
    responses = client.conversations.responses
    with responses.stream("conv_1", message="Hi", model="a/b") as stream:
        assert_type(stream, Stream)
        for event in stream:
            assert_type(event, Event)
        assert_type(stream.text_deltas(), Iterator[str])
        assert_type(stream.collect(), Response)
        assert_type(stream.request_id, str | None)
    response = responses.create("conv_1", message=["Hi", FilePart.from_uri("u")], model="a/b")
    assert_type(response, Response)
    assert_type(response.id, str | None)
    assert_type(response.text, str)
    assert_type(response.parts, tuple[Part, ...])
    assert_type(response.finish_reason, FinishReason | str)
    assert_type(response.usage, Usage | None)
    assert_type(response.pending_tool_calls, tuple[ToolCall, ...])
    result = ToolResultPart(tool_call_id="call_1", result={"words": 3})
    message = UserMessage(parts=[result, TextPart(text="a")], message_id="msg_1")
    raw = responses.with_raw_response.create("conv_1", message=message, model="a/b", task_id="t")
    assert_type(raw, RawResponse[Response])
    beside = client.conversations.with_raw_response.responses
    assert_type(beside.create("conv_1", message="Hi", model="a/b"), RawResponse[Response])


async def asynchronous(client: AsyncClient) -> None:
    responses = client.conversations.responses
    async with responses.stream("conv_1", message="Hi", model="a/b") as stream:
        assert_type(stream, AsyncStream)
        async for event in stream:
            assert_type(event, Event)
        assert_type(stream.text_deltas(), AsyncIterator[str])
        assert_type(await stream.collect(), Response)
    assert_type(await responses.create("conv_1", message="Hi", model="a/b"), Response)
    raw = responses.with_raw_response
    assert_type(await raw.create("conv_1", message="Hi", model="a/b"), RawResponse[Response])


def events(event: Event) -> str:  # noqa: C901 - a branch for each event
    match event:
        case ResponseStarted():
            return event.response_id
        case PartDelta():
            assert_type(event.delta, Part)
            return event.part_id
        case PartDone():
            assert_type(event.part, Part)
            return event.part_id
        case ToolStarted():
            assert_type(event.tool_name, str | None)
            return event.tool_call_id
        case ToolDone() | ToolFailed():
            return event.tool_id
        case ToolReviewRequested():
            assert_type(event.requires_approval, bool)
            return event.tool_id
        case ToolReviewDone():
            assert_type(event.review, ToolReview | str)
            return event.review
        case ResponseDone():
            assert_type(event.pending_tool_calls, tuple[ToolCall, ...] | None)
            return event.finish_reason
        case ResponseFailed():
            return event.error
        case UnknownEvent():
            return event.type
        case _:
            assert_never(event)


def errors(failed: ResponseFailedError, truncated: StreamTruncatedError) -> PartialResponse:
    assert_type(failed.code, float)
    assert_type(failed.service_message, str)
    assert_type(truncated.partial, PartialResponse)
    return EventTooLargeError("", partial=failed.partial).partial


def wrong(client: Client, asynchronous_client: AsyncClient) -> None:
    responses = client.conversations.responses
    responses.stream("conv_1", "Hi", "a/b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    responses.stream("conv_1", message="Hi")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    responses.create("conv_1", message=b"Hi", model="a/b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    responses.create("conv_1", message=[1], model="a/b")  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    responses.create("conv_1", message="Hi", model="a/b", stream=False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    responses.create("conv_1", message="Hi", model="a/b", task_id=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    awaited = asynchronous_client.conversations.responses.stream("a", message="b", model="c/d")
    list(awaited)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
