"""The events of a streamed response, as frozen attrs classes.

The `type` of an event determines its class; an event of an unknown type is an `UnknownEvent`. The
fields inside `data` on the wire are attributes of the event itself. An attribute is None if the
service did not send it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from attrs import field, frozen

from conversations_client._base.unset import UNSET
from conversations_client._fields.extra import NO_EXTRA
from conversations_client._fields.field_metadata import ENVELOPE
from conversations_client._fields.pretty_repr import PrettyRepr
from conversations_client._fields.usage import CompletionTokensDetails as CompletionTokensDetails  # noqa: PLC0414 - public here
from conversations_client._fields.usage import PromptTokensDetails as PromptTokensDetails  # noqa: PLC0414 - public here
from conversations_client._fields.usage import Usage as Usage  # noqa: PLC0414 - public here

from .errors import DecodeError, Fault
from .messages import Part


class FinishReason(StrEnum):
    """The known reasons why a response ended; an unknown reason is a plain `str`."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    FUNCTION_CALL = "function_call"
    MAX_ITERATIONS = "max_iterations"
    MAX_TIME = "max_time"


class ToolReview(StrEnum):
    """The known results of a tool review; an unknown result is a plain `str`."""

    APPROVED = "approved"
    REJECTED = "rejected"


@frozen(kw_only=True, repr=False)
class ToolFunction(PrettyRepr):
    """The function that a tool call invokes."""

    name: str | None = None
    """The name of the function; None if the service did not send it."""
    arguments: str | None = None
    """The arguments as JSON text from the model; None if the service did not send them."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class ToolCall(PrettyRepr):
    """A tool call that is waiting for its result."""

    id: str
    """The ID; send it back as the `tool_call_id` of a `ToolResultPart`."""
    type: str
    """The type of the tool call, `function`."""
    function: ToolFunction
    """The function and its arguments."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class _Event(PrettyRepr):
    """The fields that all events have."""

    timestamp: str = field(metadata=ENVELOPE)
    """When the service sent the event, in ISO 8601; `time` returns it as a `datetime`."""
    envelope: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields next to `data` that have no attribute, keyed by their wire names."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields inside `data` that have no attribute, keyed by their wire names."""

    @property
    def time(self) -> datetime:
        """`timestamp` as an aware `datetime`; UTC if it has no time zone.

        Raises:
            DecodeError: The timestamp is not ISO 8601.
        """
        try:
            time = datetime.fromisoformat(self.timestamp)
        except ValueError:
            raise DecodeError((Fault("$.timestamp", "not an ISO 8601 time"),)) from None
        return time if time.tzinfo else time.replace(tzinfo=UTC)


@frozen(kw_only=True, repr=False)
class ResponseStarted(_Event):
    """The response started."""

    type: Literal["response.started"] = field(default="response.started", metadata=ENVELOPE)
    response_id: str
    """The ID of the response."""
    task_id: str
    """The ID of the task."""
    model: str
    """The model that responds, as `provider/model_id`."""
    workflow_run_id: str
    """The ID of the workflow run."""
    user_message_id: str | None = None
    """The ID of the message that you sent; None if the service did not send it."""
    assistant_message_id: str | None = None
    """The ID of the message that the model writes; None if the service did not send it."""


@frozen(kw_only=True, repr=False)
class ResponseDone(_Event):
    """The response is complete."""

    type: Literal["response.done"] = field(default="response.done", metadata=ENVELOPE)
    finish_reason: FinishReason | str
    """Why the response ended: a `FinishReason`, or a plain `str` for an unknown reason."""
    usage: Usage | None = None
    """The token usage of the response; None if the service did not send it."""
    pending_tool_calls: tuple[ToolCall, ...] | None = None
    """The tool calls that are waiting for a result; None if the service did not send the field, in
    which case a `Response` has an empty tuple."""


@frozen(kw_only=True, repr=False)
class ResponseFailed(_Event):
    """The response failed."""

    type: Literal["response.failed"] = field(default="response.failed", metadata=ENVELOPE)
    error: str
    """The error message."""
    code: float
    """The error code."""


@frozen(kw_only=True, repr=False)
class PartDelta(_Event):
    """New content for a part arrived."""

    type: Literal["part.delta"] = field(default="part.delta", metadata=ENVELOPE)
    part_id: str
    """The ID of the part."""
    delta: Part
    """The new content of the part."""


@frozen(kw_only=True, repr=False)
class PartDone(_Event):
    """A part is complete."""

    type: Literal["part.done"] = field(default="part.done", metadata=ENVELOPE)
    part_id: str
    """The ID of the part."""
    part: Part
    """The complete part."""


@frozen(kw_only=True, repr=False)
class ToolStarted(_Event):
    """A tool call started."""

    type: Literal["tool.started"] = field(default="tool.started", metadata=ENVELOPE)
    tool_id: str
    """The ID of the tool."""
    tool_call_id: str
    """The ID of the tool call."""
    tool_name: str | None = None
    """The name of the tool; None if the service did not send it."""
    arguments: Mapping[str, Any] = field(hash=False)
    """The arguments of the call."""


@frozen(kw_only=True, repr=False)
class ToolDone(_Event):
    """A tool call returned its result."""

    type: Literal["tool.done"] = field(default="tool.done", metadata=ENVELOPE)
    tool_id: str
    """The ID of the tool."""
    tool_call_id: str
    """The ID of the tool call."""
    result: Any = field(default=UNSET, hash=False)
    """Any JSON value, with None for null; UNSET if the service did not send a result."""


@frozen(kw_only=True, repr=False)
class ToolFailed(_Event):
    """A tool call failed."""

    type: Literal["tool.failed"] = field(default="tool.failed", metadata=ENVELOPE)
    tool_id: str
    """The ID of the tool."""
    tool_call_id: str
    """The ID of the tool call."""
    error: str
    """The error message."""


@frozen(kw_only=True, repr=False)
class ToolReviewRequested(_Event):
    """A tool call is waiting for a person to review it."""

    type: Literal["tool.review.requested"] = field(
        default="tool.review.requested", metadata=ENVELOPE
    )
    tool_id: str
    """The ID of the tool."""
    tool_call_id: str
    """The ID of the tool call."""
    tool_name: str | None = None
    """The name of the tool; None if the service did not send it."""
    arguments: Mapping[str, Any] = field(hash=False)
    """The arguments of the call."""
    requires_approval: bool
    """Whether the call requires approval."""


@frozen(kw_only=True, repr=False)
class ToolReviewDone(_Event):
    """A person reviewed a tool call."""

    type: Literal["tool.review.done"] = field(default="tool.review.done", metadata=ENVELOPE)
    tool_id: str
    """The ID of the tool."""
    tool_call_id: str
    """The ID of the tool call."""
    review: ToolReview | str
    """The result: a `ToolReview`, or a plain `str` for an unknown result."""


@frozen(kw_only=True, repr=False)
class UnknownEvent(PrettyRepr):
    """An event of an unknown type."""

    type: str
    """The type that the service sent."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """All other fields, keyed by their wire names."""

    @property
    def json(self) -> dict[str, Any]:
        """The whole event as JSON."""
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
"""The events of a streamed response."""
