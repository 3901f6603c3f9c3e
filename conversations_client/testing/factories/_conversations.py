"""Conversations, and what listings and envelopes hold them in."""

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

_A_MINUTE: Final = 60_000


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
    """A `Conversation`, as `create` gives it."""
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
    """So many `Conversation`s with ids, names and times of their own, newest first."""
    return tuple(
        conversation(
            id=numbered("conv", number),
            display_name=f"{NAME} {number}",
            created_at=CREATED_AT + number * _A_MINUTE,
            updated_at=UPDATED_AT + number * _A_MINUTE,
        )
        for number in range(count, 0, -1)
    )


def metadata(
    *,
    generating_title: bool | None = False,
    entity_id: str | None = None,
    model: str | None = None,
) -> ConversationMetadata:
    """A `ConversationMetadata`."""
    return ConversationMetadata(generating_title=generating_title, entity_id=entity_id, model=model)


def conversation_with_messages(
    *,
    id: str = CONVERSATION_ID,  # noqa: A002 - the attribute's name
    display_name: str = NAME,
    created_at: float = CREATED_AT,
    updated_at: float = UPDATED_AT,
    created_by_id: str | None = USER_ID,
    updated_by_id: str | None = USER_ID,
    metadata: ConversationMetadata | None = None,
    messages: Sequence[Message] | None = None,
) -> ConversationWithMessages:
    """A `ConversationWithMessages`, as `retrieve` gives it; with a question and its answer."""
    return ConversationWithMessages(
        id=id,
        kind=ConversationKind.CONVERSATION,
        display_name=display_name,
        created_at=created_at,
        updated_at=updated_at,
        created_by_id=created_by_id,
        updated_by_id=updated_by_id,
        metadata=metadata,
        messages=exchange(id) if messages is None else tuple(messages),
    )


def page(*conversations: Conversation, has_more: bool = False) -> ConversationPage:
    """A `ConversationPage` of the conversations, newest first; of none, if none are given."""
    return ConversationPage(data=conversations, has_more=has_more)


def raw_response(
    parsed: T,
    *,
    status: int = 200,
    headers: Headers | None = None,
    request_id: str | None = "req_1",
    attempts: int = 1,
    elapsed: float = 0.1,
) -> RawResponse[T]:
    """A `RawResponse` around an answer."""
    return RawResponse(
        parsed=parsed,
        status=status,
        headers=Headers() if headers is None else headers,
        request_id=request_id,
        attempts=attempts,
        elapsed=elapsed,
    )
