"""The messages of a conversation and their parts, as frozen attrs classes.

A part is told by its `kind`; one that this version doesn't know is an `UnknownPart`.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from attrs import field, frozen

from conversations_client._base.unset import UNSET
from conversations_client._fields.display import PrettyRepr
from conversations_client._fields.times import as_datetime

from .errors import DecodeError, Fault, InvalidArgumentError


class MessageRole(StrEnum):
    """Who speaks; another role arrives as a plain `str`."""

    USER = "user"
    ASSISTANT = "assistant"


@frozen(kw_only=True, repr=False)
class TextPart(PrettyRepr):
    """Words.

    Attributes:
        text: The words.
        id: What a stream calls the part, `text_…`; None where the service sent none.
        metadata: Whatever belongs to it; None where the service sent none.
        extra: Fields that this version doesn't know, under their wire names.
    """

    kind: Literal["text"] = "text"
    text: str
    id: str | None = field(default=None, metadata={"wire": "_id"})
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class FileContent(PrettyRepr):
    """A file, either in `bytes` or at `uri`.

    Attributes:
        bytes: The content in base64; None where the service sent none.
        uri: Where the content is; None where the service sent none.
        mime_type: What it is; None where the service didn't say.
        name: What it is called; None where the service didn't say.
        type: Which of the two it is, as streams say; None where the service didn't say.
        extra: Fields that this version doesn't know, under their wire names.
    """

    bytes: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    name: str | None = None
    type: str | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class FilePart(PrettyRepr):
    """A file; `content` gives it decoded.

    Attributes:
        file: What it is and where.
        id: What a stream calls the part, `file_…`; None where the service sent none.
        metadata: Whatever belongs to it; None where the service sent none.
        extra: Fields that this version doesn't know, under their wire names.
    """

    kind: Literal["file"] = "file"
    file: FileContent
    id: str | None = field(default=None, metadata={"wire": "_id"})
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)

    @classmethod
    def from_bytes(
        cls,
        content: bytes | bytearray,
        *,
        mime_type: str | None = None,
        name: str | None = None,
    ) -> Self:
        """A file to send, from its content; raises InvalidArgumentError for what is no bytes."""
        encoded = base64.b64encode(_checked_bytes(content)).decode()
        return cls(file=FileContent(bytes=encoded, mime_type=mime_type, name=name))

    @classmethod
    def from_uri(cls, uri: str, *, mime_type: str | None = None, name: str | None = None) -> Self:
        """A file to send, by where it is."""
        return cls(file=FileContent(uri=uri, mime_type=mime_type, name=name))

    @property
    def content(self) -> bytes | str:
        """The file's bytes, or else its URI; raises DecodeError if there is neither."""
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
    raise InvalidArgumentError(
        f"content must be bytes, not {type(content).__name__}: encode a text first."
    )


@frozen(kw_only=True, repr=False)
class ToolResultPart(PrettyRepr):
    """What a tool gave.

    Attributes:
        tool_call_id: The call that it answers.
        result: Any JSON; UNSET where the service sent none.
        id: What a stream calls the part; None where the service sent none.
        metadata: Whatever belongs to it; None where the service sent none.
        extra: Fields that this version doesn't know, under their wire names.
    """

    kind: Literal["tool_result"] = "tool_result"
    tool_call_id: str = field(metadata={"wire": "tool_call_id"})
    result: Any = field(default=UNSET, hash=False)
    id: str | None = field(default=None, metadata={"wire": "_id"})
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class ErrorPart(PrettyRepr):
    """Something that went wrong.

    Attributes:
        error: What, in words.
        code: Its number; None where the service sent none.
        id: What a stream calls the part; None where the service sent none.
        metadata: Whatever belongs to it; None where the service sent none.
        extra: Fields that this version doesn't know, under their wire names.
    """

    kind: Literal["error"] = "error"
    error: str
    code: float | None = None
    id: str | None = field(default=None, metadata={"wire": "_id"})
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class ReasoningPart(PrettyRepr):
    """What a model thought before it answered; it comes in streams.

    Attributes:
        reasoning: The thoughts.
        signature: What the model's provider knows them again by; None where there is none.
        id: What a stream calls the part, `reasoning_…`; None where the service sent none.
        metadata: Whatever belongs to it; None where the service sent none.
        extra: Fields that this version doesn't know, under their wire names.
    """

    kind: Literal["reasoning"] = "reasoning"
    reasoning: str
    signature: str | None = None
    id: str | None = field(default=None, metadata={"wire": "_id"})
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class DataPart(PrettyRepr):
    """An object; it comes in streams.

    Attributes:
        data: The object.
        id: What a stream calls the part, `data_…`; None where the service sent none.
        metadata: Whatever belongs to it; None where the service sent none.
        extra: Fields that this version doesn't know, under their wire names.
    """

    kind: Literal["data"] = "data"
    data: Mapping[str, Any] = field(hash=False)
    id: str | None = field(default=None, metadata={"wire": "_id"})
    metadata: Mapping[str, Any] | None = field(default=None, hash=False)
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class UnknownPart(PrettyRepr):
    """A part of a kind that this version doesn't know.

    Attributes:
        kind: What the service calls the kind.
        extra: All other fields, under their wire names.
    """

    kind: str
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)

    @property
    def json(self) -> dict[str, Any]:
        """The whole part as it came."""
        return {"kind": self.kind, **self.extra}


RequestPart = TextPart | FilePart | ToolResultPart | ErrorPart
"""What a message to the service may be made of."""

Part = TextPart | FilePart | ToolResultPart | ErrorPart | ReasoningPart | DataPart | UnknownPart
"""What messages and streams are made of."""


@frozen(kw_only=True, repr=False)
class UserMessage(PrettyRepr):
    """A message to send.

    Attributes:
        parts: What is said, in order.
        message_id: The id that the message is to have; None lets the service choose one.
    """

    role: Literal["user"] = "user"
    parts: Sequence[RequestPart]
    message_id: str | None = None


@frozen(kw_only=True, repr=False)
class Message(PrettyRepr):
    """A message of a conversation.

    Attributes:
        id: `msg_…`.
        conversation_id: The conversation that it belongs to.
        created_at: Unix time in milliseconds; `created` is the same as a `datetime`.
        created_by_id: Who sent it.
        role: `MessageRole`, or a plain `str` that this version doesn't know.
        parts: What is said, in order.
        extra: Fields that this version doesn't know, under their wire names.
    """

    id: str = field(metadata={"wire": "_id"})
    conversation_id: str
    created_at: float
    created_by_id: str
    role: MessageRole | str
    parts: tuple[Part, ...]
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)

    @property
    def created(self) -> datetime:
        """`created_at` as an aware `datetime` in UTC; raises OutOfRangeError beyond year 9999."""
        return as_datetime(self.created_at)
