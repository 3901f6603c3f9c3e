"""Messages and their parts, as frozen attrs classes.

The `kind` of a part determines its class; a part of an unknown kind is an `UnknownPart`. An
attribute is None if the service did not send it. `extra` contains the unknown fields, keyed by
their wire names.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from attrs import field, frozen

from conversations_client._base.unset import UNSET
from conversations_client._fields.extra import NO_EXTRA
from conversations_client._fields.file_arguments import check_mime_type, check_uri
from conversations_client._fields.pretty_repr import PrettyRepr
from conversations_client._fields.times import as_datetime

from .errors import DecodeError, Fault, InvalidArgumentError
from .models import Conversation


class MessageRole(StrEnum):
    """The known message roles; an unknown role is a plain `str`."""

    USER = "user"
    ASSISTANT = "assistant"


@frozen(kw_only=True, repr=False)
class TextPart(PrettyRepr):
    """Text.

    Example:
        part = TextPart(text="How do I get a refund?")
    """

    kind: Literal["text"] = "text"
    text: str
    """The text."""
    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID of the part in a stream, `text_…`; None if the service did not send one."""
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    """Any JSON object; None if the service did not send one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class FileContent(PrettyRepr):
    """The content of a file in `bytes`, or its location in `uri`.

    Example:
        part = FilePart.from_bytes(b"hello", name="hello.txt")
        assert part.file == FileContent(bytes="aGVsbG8=", name="hello.txt")
    """

    bytes: str | None = None
    """The content, encoded in base64; None if the service did not send it."""
    uri: str | None = None
    """The URI of the content; None if the service did not send one."""
    mime_type: str | None = None
    """The media type, such as `image/png`; None if the service did not send one."""
    name: str | None = None
    """The file name; None if the service did not send one."""
    type: str | None = None
    """`bytes` or `uri`, in streams; None elsewhere."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class FilePart(PrettyRepr):
    """A file; `content` returns its decoded bytes or its URI.

    Example:
        part = FilePart.from_uri("https://example.com/invoice.pdf", mime_type="application/pdf")
        client.conversations.responses.create(
            conversation, message=["What is the total?", part], model="sandbox/echo"
        )
    """

    kind: Literal["file"] = "file"
    file: FileContent
    """The content or its URI."""
    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID of the part in a stream, `file_…`; None if the service did not send one."""
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    """Any JSON object; None if the service did not send one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""

    @classmethod
    def from_bytes(
        cls,
        content: bytes | bytearray,
        *,
        mime_type: str | None = None,
        name: str | None = None,
    ) -> Self:
        """Create a part from the content of a file, to send in a message.

        Args:
            content: The bytes of the file.
            mime_type: The media type, such as `image/png`.
            name: The file name.

        Raises:
            InvalidArgumentError: `content` is not bytes, or `mime_type` is not a media type.

        Example:
            from conversations_client import FilePart

            part = FilePart.from_bytes(b"hello", mime_type="text/plain", name="hello.txt")
            assert part.content == b"hello"
        """
        check_mime_type("mime_type", mime_type)
        encoded = base64.b64encode(_checked_bytes(content)).decode()
        return cls(file=FileContent(bytes=encoded, mime_type=mime_type, name=name))

    @classmethod
    def from_uri(cls, uri: str, *, mime_type: str | None = None, name: str | None = None) -> Self:
        """Create a part from the URI of a file, to send in a message.

        Args:
            uri: The absolute URI of the content.
            mime_type: The media type, such as `image/png`.
            name: The file name.

        Raises:
            InvalidArgumentError: `uri` is not an absolute URI, or `mime_type` is not a media type.

        Example:
            from conversations_client import FilePart

            part = FilePart.from_uri("https://example.com/plan.pdf", mime_type="application/pdf")
            assert part.content == "https://example.com/plan.pdf"
        """
        check_uri("uri", uri)
        check_mime_type("mime_type", mime_type)
        return cls(file=FileContent(uri=uri, mime_type=mime_type, name=name))

    @property
    def content(self) -> bytes | str:
        """The decoded bytes, or the URI if the part has no bytes.

        Raises:
            DecodeError: The part has neither, or its bytes are not valid base64.
        """
        if self.file.bytes is None:
            if self.file.uri is None:
                raise DecodeError((Fault("$.file", "has neither bytes nor uri"),))
            return self.file.uri
        try:
            return base64.b64decode(self.file.bytes, validate=True)
        except (binascii.Error, ValueError):
            raise DecodeError((Fault("$.file.bytes", "not base64"),)) from None


def _checked_bytes(content: object) -> bytes:
    if isinstance(content, bytes | bytearray):
        return bytes(content)
    advice = "pass the result of its read()" if hasattr(content, "read") else "encode text first"
    raise InvalidArgumentError(f"content must be bytes, not {type(content).__name__}: {advice}.")


@frozen(kw_only=True, repr=False)
class ToolResultPart(PrettyRepr):
    """The result of a tool call.

    Example:
        part = ToolResultPart(tool_call_id="call_1", result={"temperature": 21})
    """

    kind: Literal["tool_result"] = "tool_result"
    tool_call_id: str = field(metadata={"wire": "tool_call_id"})
    """The ID of the tool call."""
    result: Any = field(default=UNSET, hash=False)
    """Any JSON value, with None for null; UNSET if there is no result.

    Requests reject values that are not JSON, such as sets and dict keys that are not strings.
    """
    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID of the part in a stream; None if the service did not send one."""
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    """Any JSON object; None if the service did not send one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class ErrorPart(PrettyRepr):
    """An error.

    Example:
        part = ErrorPart(error="The weather station is offline.")
    """

    kind: Literal["error"] = "error"
    error: str
    """The error message."""
    code: float | None = None
    """The error code; None if the service did not send one."""
    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID of the part in a stream; None if the service did not send one."""
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    """Any JSON object; None if the service did not send one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class ReasoningPart(PrettyRepr):
    """A model's reasoning before it responds; occurs only in streams."""

    kind: Literal["reasoning"] = "reasoning"
    reasoning: str
    """The reasoning text."""
    signature: str | None = None
    """The model provider's signature for the reasoning; None if there is none."""
    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID of the part, `reasoning_…`; None if the service did not send one."""
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    """Any JSON object; None if the service did not send one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class DataPart(PrettyRepr):
    """A JSON object; occurs only in streams."""

    kind: Literal["data"] = "data"
    data: Mapping[str, Any] = field(hash=False)
    """The object."""
    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID of the part, `data_…`; None if the service did not send one."""
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    """Any JSON object; None if the service did not send one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class UnknownPart(PrettyRepr):
    """A part of an unknown kind."""

    kind: str
    """The kind that the service sent."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """All other fields, keyed by their wire names."""

    @property
    def json(self) -> dict[str, Any]:
        """The whole part as JSON."""
        return {"kind": self.kind, **self.extra}


RequestPart = TextPart | FilePart | ToolResultPart | ErrorPart
"""The parts that a message to the service may contain."""

Part = TextPart | FilePart | ToolResultPart | ErrorPart | ReasoningPart | DataPart | UnknownPart
"""The parts of messages and streams."""


def text_of(parts: Sequence[Part]) -> str:
    """The joined text of all text parts."""
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def _frozen(parts: Sequence[RequestPart]) -> Sequence[RequestPart]:
    return tuple(parts) if isinstance(parts, list) else parts


@frozen(kw_only=True, repr=False)
class UserMessage(PrettyRepr):
    """A message to send.

    Example:
        message = UserMessage(parts=[TextPart(text="How do I get a refund?")])
        client.conversations.responses.create(conversation, message=message, model="sandbox/echo")
    """

    role: Literal["user"] = "user"
    parts: Sequence[RequestPart] = field(converter=_frozen)
    """The parts of the message, in order."""
    message_id: str | None = None
    """The ID of the message: `msg_` followed by a lowercase ULID; None to let the service choose
    one.

    The service rejects an ID that it has already received.
    """


MessageInput = str | RequestPart | UserMessage | Sequence[str | RequestPart]
"""A message to send: a string, a part, a sequence of strings and parts, or a `UserMessage`."""


@frozen(kw_only=True, repr=False)
class Message(PrettyRepr):
    """A message in a conversation.

    Example:
        for message in client.conversations.retrieve(conversation_id).messages or ():
            print(message.role, message.created, message.text)
    """

    id: str = field(metadata={"wire": "_id"})
    """The message ID, `msg_…`."""
    conversation_id: str
    """The ID of the conversation."""
    created_at: float
    """When the message was sent, in Unix milliseconds; `created` returns it as a `datetime`."""
    created_by_id: str
    """The ID of the user who sent the message."""
    role: MessageRole | str
    """A `MessageRole`, or a plain `str` for an unknown role."""
    parts: tuple[Part, ...]
    """The parts of the message, in order."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""

    @property
    def text(self) -> str:
        """The joined text of all text parts; empty if there are none."""
        return text_of(self.parts)

    @property
    def created(self) -> datetime:
        """`created_at` as an aware `datetime` in UTC.

        Raises:
            OutOfRangeError: The time is outside the years 1 to 9999.
        """
        return as_datetime(self.created_at)


@frozen(kw_only=True, repr=False)
class ConversationWithMessages(Conversation):
    """A conversation with its messages, as returned by `retrieve`."""

    messages: tuple[Message, ...] | None = None
    """The messages, oldest first; None if the service did not send them."""
