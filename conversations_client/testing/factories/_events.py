"""Creates the events of streamed responses."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from conversations_client import (
    UNSET,
    FinishReason,
    Part,
    PartDelta,
    PartDone,
    ResponseDone,
    ResponseFailed,
    ResponseStarted,
    ToolCall,
    ToolDone,
    ToolFailed,
    ToolFunction,
    ToolReview,
    ToolReviewDone,
    ToolReviewRequested,
    ToolStarted,
    UnknownEvent,
    Usage,
)
from conversations_client.testing.factories._defaults import (
    CALL_ID,
    MODEL,
    QUESTION_ID,
    REPLY_ID,
    RESPONSE_ID,
    RUN_ID,
    TASK_ID,
    TIMESTAMP,
    TOOL,
    TOOL_ID,
    numbered,
)
from conversations_client.testing.factories._messages import text_part

PART_ID: Final = numbered("text", 1)
_ARGUMENTS: Final = {"text": "Search, and then export."}


def response_started(
    *,
    response_id: str = RESPONSE_ID,
    task_id: str = TASK_ID,
    model: str = MODEL,
    workflow_run_id: str = RUN_ID,
    user_message_id: str | None = QUESTION_ID,
    assistant_message_id: str | None = REPLY_ID,
    timestamp: str = TIMESTAMP,
) -> ResponseStarted:
    """Create a `ResponseStarted`.

    Example:
        event = factories.response_started(model="openai/gpt-4o")
    """
    return ResponseStarted(
        response_id=response_id,
        task_id=task_id,
        model=model,
        workflow_run_id=workflow_run_id,
        user_message_id=user_message_id,
        assistant_message_id=assistant_message_id,
        timestamp=timestamp,
    )


def response_done(
    *,
    finish_reason: FinishReason | str = FinishReason.STOP,
    usage: Usage | None = None,
    pending_tool_calls: Sequence[ToolCall] | None = None,
    timestamp: str = TIMESTAMP,
) -> ResponseDone:
    """Create a `ResponseDone`.

    Example:
        event = factories.response_done(finish_reason=FinishReason.LENGTH)
    """
    return ResponseDone(
        finish_reason=finish_reason,
        usage=usage,
        pending_tool_calls=None if pending_tool_calls is None else tuple(pending_tool_calls),
        timestamp=timestamp,
    )


def response_failed(
    *, error: str = "The model failed.", code: float = 500, timestamp: str = TIMESTAMP
) -> ResponseFailed:
    """Create a `ResponseFailed`.

    Example:
        event = factories.response_failed(error="The model is overloaded.", code=529)
    """
    return ResponseFailed(error=error, code=code, timestamp=timestamp)


def part_delta(
    *, part_id: str = PART_ID, delta: Part | None = None, timestamp: str = TIMESTAMP
) -> PartDelta:
    """Create a `PartDelta`, by default for a text part.

    Example:
        event = factories.part_delta(delta=factories.text_part(text="Hello"))
    """
    return PartDelta(
        part_id=part_id,
        delta=text_part(id=part_id) if delta is None else delta,
        timestamp=timestamp,
    )


def part_done(
    *, part_id: str = PART_ID, part: Part | None = None, timestamp: str = TIMESTAMP
) -> PartDone:
    """Create a `PartDone`, by default for a text part.

    Example:
        event = factories.part_done(part=factories.text_part(text="Hello"))
    """
    return PartDone(
        part_id=part_id,
        part=text_part(id=part_id) if part is None else part,
        timestamp=timestamp,
    )


def tool_started(
    *,
    tool_id: str = TOOL_ID,
    tool_call_id: str = CALL_ID,
    tool_name: str | None = TOOL,
    arguments: Mapping[str, Any] = _ARGUMENTS,
    timestamp: str = TIMESTAMP,
) -> ToolStarted:
    """Create a `ToolStarted`.

    Example:
        event = factories.tool_started(tool_name="search", arguments={"query": "refunds"})
    """
    return ToolStarted(
        tool_id=tool_id,
        tool_call_id=tool_call_id,
        tool_name=tool_name,
        arguments=arguments,
        timestamp=timestamp,
    )


def tool_done(
    *,
    tool_id: str = TOOL_ID,
    tool_call_id: str = CALL_ID,
    result: Any = UNSET,  # noqa: ANN401 - any JSON
    timestamp: str = TIMESTAMP,
) -> ToolDone:
    """Create a `ToolDone`, by default with the result `{"words": 4}`.

    Example:
        event = factories.tool_done(result={"found": 3})
    """
    return ToolDone(
        tool_id=tool_id,
        tool_call_id=tool_call_id,
        result={"words": 4} if result is UNSET else result,
        timestamp=timestamp,
    )


def tool_failed(
    *,
    tool_id: str = TOOL_ID,
    tool_call_id: str = CALL_ID,
    error: str = "The tool failed.",
    timestamp: str = TIMESTAMP,
) -> ToolFailed:
    """Create a `ToolFailed`.

    Example:
        event = factories.tool_failed(error="No such tool.")
    """
    return ToolFailed(tool_id=tool_id, tool_call_id=tool_call_id, error=error, timestamp=timestamp)


def tool_review_requested(
    *,
    tool_id: str = TOOL_ID,
    tool_call_id: str = CALL_ID,
    tool_name: str | None = TOOL,
    arguments: Mapping[str, Any] = _ARGUMENTS,
    requires_approval: bool = True,
    timestamp: str = TIMESTAMP,
) -> ToolReviewRequested:
    """Create a `ToolReviewRequested`.

    Example:
        event = factories.tool_review_requested(tool_name="refund", arguments={"amount": 10})
    """
    return ToolReviewRequested(
        tool_id=tool_id,
        tool_call_id=tool_call_id,
        tool_name=tool_name,
        arguments=arguments,
        requires_approval=requires_approval,
        timestamp=timestamp,
    )


def tool_review_done(
    *,
    tool_id: str = TOOL_ID,
    tool_call_id: str = CALL_ID,
    review: ToolReview | str = ToolReview.APPROVED,
    timestamp: str = TIMESTAMP,
) -> ToolReviewDone:
    """Create a `ToolReviewDone`.

    Example:
        event = factories.tool_review_done(review=ToolReview.REJECTED)
    """
    return ToolReviewDone(
        tool_id=tool_id, tool_call_id=tool_call_id, review=review, timestamp=timestamp
    )


def unknown_event(*, type: str = "weather.changed", **fields: Any) -> UnknownEvent:  # noqa: A002, ANN401 - the attribute's name; any JSON
    """Create an `UnknownEvent`, whose type the client doesn't know. `fields` uses wire names.

    Example:
        event = factories.unknown_event(type="poll.opened", data={"question": "Which one?"})
    """
    return UnknownEvent(type=type, extra=fields)


def tool_call(
    *,
    id: str = CALL_ID,  # noqa: A002 - the attribute's name
    name: str | None = TOOL,
    arguments: str | None = '{"text": "Search, and then export."}',
) -> ToolCall:
    """Create a pending `ToolCall`; `arguments` is JSON text.

    Example:
        event = factories.response_done(pending_tool_calls=[factories.tool_call()])
    """
    return ToolCall(id=id, type="function", function=ToolFunction(name=name, arguments=arguments))


def usage(
    *,
    completion_tokens: float | None = 4,
    prompt_tokens: float | None = 4,
    total_tokens: float | None = 8,
) -> Usage:
    """Create a `Usage`.

    Example:
        event = factories.response_done(usage=factories.usage(total_tokens=100))
    """
    return Usage(
        completion_tokens=completion_tokens,
        prompt_tokens=prompt_tokens,
        total_tokens=total_tokens,
    )
