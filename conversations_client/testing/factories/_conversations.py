"""Creates conversations, pages and raw responses."""

from collections.abc import Sequence
from typing import Final, TypeVar

from conversations_client import (
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationPage,
    ConversationWithMessages,
    Headers,
    Message,
    RawResponse,
)
from conversations_client.testing.factories._defaults import (
    CONVERSATION_ID,
    CREATED_AT,
    NAME,
    UPDATED_AT,
    USER_ID,
    numbered,
)
from conversations_client.testing.factories._messages import exchange

T = TypeVar("T")

_MINUTE: Final = 60_000


def conversation(
    *,
    id: str | None = CONVERSATION_ID,  # noqa: A002 - the attribute's name
    kind: ConversationKind | str = ConversationKind.CONVERSATION,
    display_name: str = NAME,
    created_at: float = CREATED_AT,
    updated_at: float = UPDATED_AT,
    created_by_id: str | None = USER_ID,
    updated_by_id: str | None = USER_ID,
    metadata: ConversationMetadata | None = None,
) -> Conversation:
    """Create a `Conversation`, as returned by `conversations.create`.

    Example:
        conversation = factories.conversation(display_name="Refunds")
        assert conversation.id is not None
    """
    return Conversation(
        id=id,
        kind=kind,
        display_name=display_name,
        created_at=created_at,
        updated_at=updated_at,
        created_by_id=created_by_id,
        updated_by_id=updated_by_id,
        metadata=metadata,
    )


def conversations(count: int) -> tuple[Conversation, ...]:
    """Create several conversations with different IDs, names and times, newest first.

    Example:
        newest, oldest = factories.conversations(2)
        assert newest.created_at > oldest.created_at
    """
    return tuple(
        conversation(
            id=numbered("conv", number),
            display_name=f"{NAME} {number}",
            created_at=CREATED_AT + number * _MINUTE,
            updated_at=UPDATED_AT + number * _MINUTE,
        )
        for number in range(count, 0, -1)
    )


def metadata(
    *,
    generating_title: bool | None = False,
    entity_id: str | None = None,
    model: str | None = None,
) -> ConversationMetadata:
    """Create a `ConversationMetadata`.

    Example:
        metadata = factories.metadata(entity_id="agent_support")
        conversation = factories.conversation(metadata=metadata)
    """
    return ConversationMetadata(generating_title=generating_title, entity_id=entity_id, model=model)


def conversation_with_messages(
    *,
    id: str | None = CONVERSATION_ID,  # noqa: A002 - the attribute's name
    display_name: str = NAME,
    created_at: float = CREATED_AT,
    updated_at: float = UPDATED_AT,
    created_by_id: str | None = USER_ID,
    updated_by_id: str | None = USER_ID,
    metadata: ConversationMetadata | None = None,
    messages: Sequence[Message] | None = None,
) -> ConversationWithMessages:
    """Create a `ConversationWithMessages`, by default with a question and a reply.

    Example:
        conversation = factories.conversation_with_messages()
        assert conversation.messages is not None
        assert len(conversation.messages) == 2
    """
    return ConversationWithMessages(
        id=id,
        kind=ConversationKind.CONVERSATION,
        display_name=display_name,
        created_at=created_at,
        updated_at=updated_at,
        created_by_id=created_by_id,
        updated_by_id=updated_by_id,
        metadata=metadata,
        messages=exchange(id or CONVERSATION_ID) if messages is None else tuple(messages),
    )


def page(*conversations: Conversation, has_more: bool = False) -> ConversationPage:
    """Create a `ConversationPage` with the given conversations, in that order.

    Example:
        page = factories.page(*factories.conversations(3), has_more=True)
        assert len(page.data) == 3
    """
    return ConversationPage(data=conversations, has_more=has_more)


def raw_response(
    parsed: T,
    *,
    status: int = 200,
    headers: Headers | None = None,
    request_id: str | None = "req_1",
    attempts: int = 1,
    elapsed: float = 0.1,
    body: bytes = b"",
) -> RawResponse[T]:
    """Create a `RawResponse` with the given parsed content.

    Example:
        raw = factories.raw_response(factories.conversation(), status=201)
        assert raw.parsed.display_name
    """
    return RawResponse(
        parsed=parsed,
        status=status,
        headers=Headers() if headers is None else headers,
        request_id=request_id,
        attempts=attempts,
        elapsed=elapsed,
        body=body,
    )
