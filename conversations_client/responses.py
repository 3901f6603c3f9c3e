"""What a streamed response comes to: the whole of it, or what had arrived when it broke off."""

from attrs import frozen

from conversations_client._fields.display import PrettyRepr

from .errors import ConversationsError, Delivery
from .events import FinishReason, ToolCall, Usage
from .messages import Part, ReasoningPart, TextPart


@frozen(kw_only=True, repr=False)
class PartialResponse(PrettyRepr):
    """What has arrived of a response.

    Attributes:
        id: What the service calls the response; None if it didn't say.
        task_id: What the service calls the task; None if it didn't say.
        model: What answers, `provider/model_id`; None if the service didn't say.
        workflow_run_id: What the service calls the run; None if it didn't say.
        user_message_id: The message that was sent; None if the service didn't say.
        assistant_message_id: The message that was written; None if the service didn't say.
        parts: What was said, in the order in which it began. A part is as `part.done` gave it, or
            else its deltas joined: of text and reasoning all of them, of other kinds the last.
    """

    id: str | None = None
    task_id: str | None = None
    model: str | None = None
    workflow_run_id: str | None = None
    user_message_id: str | None = None
    assistant_message_id: str | None = None
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """The words of all text parts."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def reasoning(self) -> str:
        """The thoughts of all reasoning parts."""
        return "".join(part.reasoning for part in self.parts if isinstance(part, ReasoningPart))


@frozen(kw_only=True, repr=False)
class Response(PartialResponse):
    """A whole response.

    Attributes:
        finish_reason: Why it ended, `FinishReason` or a plain `str` that this version doesn't know.
        usage: How many tokens it took; None if the service didn't say.
        pending_tool_calls: The tool calls that wait for a result; empty if there are none.
    """

    finish_reason: FinishReason | str
    usage: Usage | None = None
    pending_tool_calls: tuple[ToolCall, ...] = ()


class StreamError(ConversationsError):
    """A streamed response is not whole.

    Attributes:
        partial: What had arrived of it.
    """

    def __init__(
        self,
        message: str,
        *,
        partial: PartialResponse,
        attempts: int = 1,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            message, delivery=Delivery.UNKNOWN, attempts=attempts, request_id=request_id
        )
        self.partial = partial


class ResponseFailedError(StreamError):
    """The service says that the response failed (`response.failed`).

    Attributes:
        service_message: Why, in the service's words.
        code: Its number.
    """

    service_message: str
    code: float


class StreamTruncatedError(StreamError):
    """The stream ended before the response did, or can't be read on.

    Attributes:
        reason: Why, where it is more than an early end: a `DisconnectError` or `IdleTimeoutError`
            of the connection, or a `DecodeError` with the JSON path of what is no event.
    """

    reason: ConversationsError | None


class EventTooLargeError(StreamError):
    """An event is larger than `max_event_bytes`."""
