"""Creates messages and their parts."""

from collections.abc import Mapping, Sequence
from typing import Any

from conversations_client import (
    UNSET,
    DataPart,
    ErrorPart,
    FileContent,
    FilePart,
    Message,
    MessageRole,
    Part,
    ReasoningPart,
    RequestPart,
    TextPart,
    ToolResultPart,
    UnknownPart,
    UserMessage,
)
from conversations_client.testing.factories._defaults import (
    CALL_ID,
    CONVERSATION_ID,
    CREATED_AT,
    QUESTION,
    QUESTION_ID,
    REPLY,
    REPLY_ID,
    USER_ID,
)


def message(
    *,
    id: str = QUESTION_ID,  # noqa: A002 - the attribute's name
    conversation_id: str = CONVERSATION_ID,
    created_at: float = CREATED_AT,
    created_by_id: str = USER_ID,
    role: MessageRole | str = MessageRole.USER,
    parts: Sequence[Part] | None = None,
) -> Message:
    """Create a `Message`, by default a question with one text part.

    Example:
        message = factories.message(parts=[factories.text_part(text="Hello")])
    """
    return Message(
        id=id,
        conversation_id=conversation_id,
        created_at=created_at,
        created_by_id=created_by_id,
        role=role,
        parts=(text_part(text=QUESTION),) if parts is None else tuple(parts),
    )


def exchange(conversation_id: str = CONVERSATION_ID) -> tuple[Message, Message]:
    """Create two messages: a question, and a reply sent one second later.

    Example:
        question, reply = factories.exchange()
        assert (question.role, reply.role) == (MessageRole.USER, MessageRole.ASSISTANT)
    """
    return (
        message(conversation_id=conversation_id),
        message(
            id=REPLY_ID,
            conversation_id=conversation_id,
            created_at=CREATED_AT + 1000,
            role=MessageRole.ASSISTANT,
            parts=(text_part(),),
        ),
    )


def user_message(
    *, parts: Sequence[RequestPart] | None = None, message_id: str | None = None
) -> UserMessage:
    """Create a `UserMessage` to send, by default a question with one text part.

    Example:
        client.conversations.responses.create(
            conversation_id, message=factories.user_message(), model="openai/gpt-4o"
        )
    """
    return UserMessage(
        parts=(text_part(text=QUESTION),) if parts is None else tuple(parts),
        message_id=message_id,
    )


def text_part(
    *,
    text: str = REPLY,
    id: str | None = None,  # noqa: A002 - the attribute's name
    metadata: Mapping[str, Any] | None = None,
) -> TextPart:
    """Create a `TextPart`.

    Example:
        part = factories.text_part(text="Hello")
    """
    return TextPart(text=text, id=id, metadata=metadata)


def file_part(
    *,
    file: FileContent | None = None,
    id: str | None = None,  # noqa: A002 - the attribute's name
    metadata: Mapping[str, Any] | None = None,
) -> FilePart:
    """Create a `FilePart`, by default with a short text file.

    Example:
        part = factories.file_part()
        assert part.content == b"Hello"
    """
    return FilePart(file=file_content() if file is None else file, id=id, metadata=metadata)


def file_content(
    *,
    bytes: str | None = "SGVsbG8=",  # noqa: A002 - the attribute's name
    uri: str | None = None,
    mime_type: str | None = "text/plain",
    name: str | None = "hello.txt",
) -> FileContent:
    """Create a `FileContent`. `bytes` is base64; it must be None if `uri` is set.

    Example:
        part = factories.file_part(
            file=factories.file_content(bytes=None, uri="https://example.com/a.pdf")
        )
    """
    return FileContent(bytes=bytes, uri=uri, mime_type=mime_type, name=name)


def tool_result_part(
    *,
    tool_call_id: str = CALL_ID,
    result: Any = UNSET,  # noqa: ANN401 - any JSON
    id: str | None = None,  # noqa: A002 - the attribute's name
    metadata: Mapping[str, Any] | None = None,
) -> ToolResultPart:
    """Create a `ToolResultPart`, by default with the result `{"words": 4}`.

    Example:
        part = factories.tool_result_part(tool_call_id="call_1", result=[1, 2])
    """
    return ToolResultPart(
        tool_call_id=tool_call_id,
        result={"words": 4} if result is UNSET else result,
        id=id,
        metadata=metadata,
    )


def error_part(
    *,
    error: str = "The model failed.",
    code: float | None = 500,
    id: str | None = None,  # noqa: A002 - the attribute's name
    metadata: Mapping[str, Any] | None = None,
) -> ErrorPart:
    """Create an `ErrorPart`.

    Example:
        part = factories.error_part(error="The model failed.", code=500)
    """
    return ErrorPart(error=error, code=code, id=id, metadata=metadata)


def reasoning_part(
    *,
    reasoning: str = "The user asks about the roadmap.",
    signature: str | None = None,
    id: str | None = None,  # noqa: A002 - the attribute's name
    metadata: Mapping[str, Any] | None = None,
) -> ReasoningPart:
    """Create a `ReasoningPart`.

    Example:
        event = factories.part_done(part=factories.reasoning_part(reasoning="A short question."))
    """
    return ReasoningPart(reasoning=reasoning, signature=signature, id=id, metadata=metadata)


def data_part(
    *,
    data: Mapping[str, Any] | None = None,
    id: str | None = None,  # noqa: A002 - the attribute's name
    metadata: Mapping[str, Any] | None = None,
) -> DataPart:
    """Create a `DataPart`, by default with the data `{"feature": "search"}`.

    Example:
        event = factories.part_done(part=factories.data_part(data={"score": 0.9}))
    """
    return DataPart(data={"feature": "search"} if data is None else data, id=id, metadata=metadata)


def unknown_part(*, kind: str = "hologram", **fields: Any) -> UnknownPart:  # noqa: ANN401 - any JSON
    """Create an `UnknownPart`, whose kind the client doesn't know. `fields` uses wire names.

    Example:
        part = factories.unknown_part(kind="poll", question="Which one?")
    """
    return UnknownPart(kind=kind, extra=fields)
