"""The events of a streamed response, as frozen attrs classes.

An event is told by its `type`; one that this version doesn't know is an `UnknownEvent`. What the
wire has within `data` are attributes of the event itself.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from attrs import field, frozen

from conversations_client._base.unset import UNSET
from conversations_client._fields.display import PrettyRepr
from conversations_client._fields.usage import CompletionTokensDetails as CompletionTokensDetails  # noqa: PLC0414 - public here
from conversations_client._fields.usage import PromptTokensDetails as PromptTokensDetails  # noqa: PLC0414 - public here
from conversations_client._fields.usage import Usage as Usage  # noqa: PLC0414 - public here
from conversations_client._fields.wire import ENVELOPE

from .errors import DecodeError, Fault
from .messages import Part


class FinishReason(StrEnum):
    """Why a response ended; another reason arrives as a plain `str`."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    FUNCTION_CALL = "function_call"
    MAX_ITERATIONS = "max_iterations"
    MAX_TIME = "max_time"


class ToolReview(StrEnum):
    """What a reviewer said of a tool call; another word arrives as a plain `str`."""

    APPROVED = "approved"
    REJECTED = "rejected"


@frozen(kw_only=True, repr=False)
class ToolFunction(PrettyRepr):
    """What a tool call calls; each None where the service didn't say.

    Attributes:
        name: The function.
        arguments: Its arguments, as the JSON text that the model wrote.
        extra: Fields that this version doesn't know, under their wire names.
    """

    name: str | None = None
    arguments: str | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class ToolCall(PrettyRepr):
    """A tool call that waits for its result.

    Attributes:
        id: What a `ToolResultPart` answers by, in `tool_call_id`.
        type: `function`.
        function: The function and its arguments.
        extra: Fields that this version doesn't know, under their wire names.
    """

    id: str
    type: str
    function: ToolFunction
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class _Event(PrettyRepr):
    """What all events have.

    Attributes:
        timestamp: When, in ISO 8601; `time` is the same as a `datetime`.
        envelope: Fields beside `data` that this version doesn't know, under their wire names.
        extra: Fields within `data` that this version doesn't know, under their wire names.
    """

    timestamp: str = field(metadata=ENVELOPE)
    envelope: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)

    @property
    def time(self) -> datetime:
        """`timestamp` as an aware `datetime`, in UTC if it names no zone; raises DecodeError."""
        try:
            time = datetime.fromisoformat(self.timestamp)
        except ValueError:
            raise DecodeError((Fault("$.timestamp", "not a time in ISO 8601"),)) from None
        return time if time.tzinfo else time.replace(tzinfo=UTC)


@frozen(kw_only=True, repr=False)
class ResponseStarted(_Event):
    """The response begins.

    Attributes:
        response_id: What the service calls the response.
        task_id: What the service calls the task.
        model: What answers, `provider/model_id`.
        workflow_run_id: What the service calls the run.
        user_message_id: The message that was sent; None where the service didn't say.
        assistant_message_id: The message that is being written; None where the service didn't say.
    """

    type: Literal["response.started"] = field(default="response.started", metadata=ENVELOPE)
    response_id: str
    task_id: str
    model: str
    workflow_run_id: str
    user_message_id: str | None = None
    assistant_message_id: str | None = None


@frozen(kw_only=True, repr=False)
class ResponseDone(_Event):
    """The response is whole.

    Attributes:
        finish_reason: Why it ended, `FinishReason` or a plain `str` that this version doesn't know.
        usage: How many tokens it took; None where the service didn't say.
        pending_tool_calls: The tool calls that wait for a result; None where the service sent none.
    """

    type: Literal["response.done"] = field(default="response.done", metadata=ENVELOPE)
    finish_reason: FinishReason | str
    usage: Usage | None = None
    pending_tool_calls: tuple[ToolCall, ...] | None = None


@frozen(kw_only=True, repr=False)
class ResponseFailed(_Event):
    """The response broke off.

    Attributes:
        error: Why, in words.
        code: Its number.
    """

    type: Literal["response.failed"] = field(default="response.failed", metadata=ENVELOPE)
    error: str
    code: float


@frozen(kw_only=True, repr=False)
class PartDelta(_Event):
    """A part grew.

    Attributes:
        part_id: The part.
        delta: What came to it.
    """

    type: Literal["part.delta"] = field(default="part.delta", metadata=ENVELOPE)
    part_id: str
    delta: Part


@frozen(kw_only=True, repr=False)
class PartDone(_Event):
    """A part is whole.

    Attributes:
        part_id: The part.
        part: All of it.
    """

    type: Literal["part.done"] = field(default="part.done", metadata=ENVELOPE)
    part_id: str
    part: Part


@frozen(kw_only=True, repr=False)
class ToolStarted(_Event):
    """A tool begins.

    Attributes:
        tool_id: The tool.
        tool_call_id: This call of it.
        tool_name: What the tool is called; None where the service didn't say.
        arguments: What it was called with.
    """

    type: Literal["tool.started"] = field(default="tool.started", metadata=ENVELOPE)
    tool_id: str
    tool_call_id: str
    tool_name: str | None = None
    arguments: Mapping[str, Any] = field(hash=False)


@frozen(kw_only=True, repr=False)
class ToolDone(_Event):
    """A tool gave its result.

    Attributes:
        tool_id: The tool.
        tool_call_id: This call of it.
        result: Any JSON; UNSET where the service sent none.
    """

    type: Literal["tool.done"] = field(default="tool.done", metadata=ENVELOPE)
    tool_id: str
    tool_call_id: str
    result: Any = field(default=UNSET, hash=False)


@frozen(kw_only=True, repr=False)
class ToolFailed(_Event):
    """A tool failed.

    Attributes:
        tool_id: The tool.
        tool_call_id: This call of it.
        error: Why, in words.
    """

    type: Literal["tool.failed"] = field(default="tool.failed", metadata=ENVELOPE)
    tool_id: str
    tool_call_id: str
    error: str


@frozen(kw_only=True, repr=False)
class ToolReviewRequested(_Event):
    """Somebody is to say whether a tool may be called.

    Attributes:
        tool_id: The tool.
        tool_call_id: This call of it.
        tool_name: What the tool is called; None where the service didn't say.
        arguments: What it would be called with.
        requires_approval: Whether the call waits for it.
    """

    type: Literal["tool.review.requested"] = field(
        default="tool.review.requested", metadata=ENVELOPE
    )
    tool_id: str
    tool_call_id: str
    tool_name: str | None = None
    arguments: Mapping[str, Any] = field(hash=False)
    requires_approval: bool


@frozen(kw_only=True, repr=False)
class ToolReviewDone(_Event):
    """Somebody said whether a tool may be called.

    Attributes:
        tool_id: The tool.
        tool_call_id: This call of it.
        review: `ToolReview`, or a plain `str` that this version doesn't know.
    """

    type: Literal["tool.review.done"] = field(default="tool.review.done", metadata=ENVELOPE)
    tool_id: str
    tool_call_id: str
    review: ToolReview | str


@frozen(kw_only=True, repr=False)
class UnknownEvent(PrettyRepr):
    """An event of a type that this version doesn't know.

    Attributes:
        type: What the service calls the type.
        extra: All other fields, under their wire names.
    """

    type: str
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)

    @property
    def json(self) -> dict[str, Any]:
        """The whole event as it came."""
        return {"type": self.type, **self.extra}


Event = (
    ResponseStarted
    | ResponseDone
    | ResponseFailed
    | PartDelta
    | PartDone
    | ToolStarted
    | ToolDone
    | ToolFailed
    | ToolReviewRequested
    | ToolReviewDone
    | UnknownEvent
)
"""What a streamed response is made of."""
