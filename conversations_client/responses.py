"""Streamed responses: the complete response, or the part that arrived before an interruption."""

from attrs import frozen

from conversations_client._fields.pretty_repr import PrettyRepr

from .errors import ConversationsError, Delivery, is_temporary_status
from .events import FinishReason, ToolCall, Usage
from .messages import Part, ReasoningPart, text_of


@frozen(kw_only=True, repr=False)
class PartialResponse(PrettyRepr):
    """The part of a response that has arrived."""

    id: str | None = None
    """The ID of the response; None if the service has not sent it."""
    task_id: str | None = None
    """The ID of the task; None if the service has not sent it."""
    model: str | None = None
    """The model that responds, as `provider/model_id`; None if the service has not sent it."""
    workflow_run_id: str | None = None
    """The ID of the workflow run; None if the service has not sent it."""
    user_message_id: str | None = None
    """The ID of the message that you sent; None if the service has not sent it."""
    assistant_message_id: str | None = None
    """The ID of the message that the model writes; None if the service has not sent it."""
    parts: tuple[Part, ...] = ()
    """The parts, in order. A part without a `part.done` event is built from its deltas: for text
    and reasoning, all of them joined; for other kinds, only the last one."""

    @property
    def text(self) -> str:
        """The joined text of all text parts."""
        return text_of(self.parts)

    @property
    def reasoning(self) -> str:
        """The joined text of all reasoning parts."""
        return "".join(part.reasoning for part in self.parts if isinstance(part, ReasoningPart))


@frozen(kw_only=True, repr=False)
class Response(PartialResponse):
    """A complete response.

    Example:
        response = client.conversations.responses.create(
            conversation, message="How do I get a refund?", model="sandbox/echo"
        )
        print(response.text, response.finish_reason, response.usage)
    """

    finish_reason: FinishReason | str
    """Why the response ended: a `FinishReason`, or a plain `str` for an unknown reason."""
    usage: Usage | None = None
    """The token usage of the response; None if the service did not send it."""
    pending_tool_calls: tuple[ToolCall, ...] = ()
    """The tool calls that are waiting for a result; empty if there are none."""


class StreamError(ConversationsError):
    """A streamed response is incomplete.

    Attributes:
        partial: The part of the response that arrived.

    Example:
        try:
            client.conversations.responses.create(
                conversation, message="Hello", model="sandbox/fails"
            )
        except StreamError as error:
            print(error.partial.text)
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
    """The service reports that the response failed (`response.failed`).

    Attributes:
        service_message: The service's error message.
        code: The service's error code.

    Example:
        try:
            client.conversations.responses.create(
                conversation, message="Hello", model="sandbox/fails"
            )
        except ResponseFailedError as error:
            print(error.code, error.service_message)
    """

    service_message: str
    code: float

    @property
    def is_temporary(self) -> bool:
        """True for the codes 408, 425, 429 and 5xx, except 501 and 505."""
        return is_temporary_status(self.code)


class StreamTruncatedError(StreamError):
    """The stream is invalid, or ended before the response was complete.

    Attributes:
        reason: The cause: a `DisconnectError` or `IdleTimeoutError` from the connection, a
            `DeadlineError` if the call took too long, or a `DecodeError` for data that is not an
            event; None if the stream just ended early.

    Example:
        try:
            client.conversations.responses.create(
                conversation, message="Hello", model="sandbox/echo"
            )
        except StreamTruncatedError as error:
            print(error.reason, error.partial.text)
    """

    reason: ConversationsError | None

    @property
    def is_temporary(self) -> bool:
        """True, unless the reason is an error that is not temporary."""
        return self.reason is None or self.reason.is_temporary


class EventTooLargeError(StreamError):
    """An event is larger than `max_event_bytes`."""
