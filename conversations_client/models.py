"""The answers of the Conversations API, as frozen attrs classes.

An attribute is the snake case of its wire name; `metadata={"wire": …}` names the exceptions. A
field whose default is None may be absent on the wire but never null; one whose default is UNSET may
be either, and None then stands for null. Fields that a class doesn't know are kept in `extra`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from conversations_client._base.unset import UNSET, Unset
from conversations_client._fields.display import PrettyRepr
from conversations_client._fields.times import as_datetime

from .messages import Message


class ConversationKind(StrEnum):
    """The kinds of conversation known today; another one arrives as a plain `str`."""

    CONVERSATION = "conversation"


@frozen(kw_only=True, repr=False)
class ConversationMetadata(PrettyRepr):
    """What belongs to a conversation besides its name.

    Attributes:
        generating_title: Whether the service is still making up a name; None if it didn't say.
        entity_id: The parent agent or deployment; None if the service sent null, UNSET if nothing.
        model: The model of the conversation; None if the service sent null, UNSET if nothing.
        extra: Fields of the answer that this version doesn't know, under their wire names.
    """

    generating_title: bool | None = None
    entity_id: str | Unset | None = UNSET
    model: str | Unset | None = UNSET
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


@frozen(kw_only=True, repr=False)
class Conversation(PrettyRepr):
    """A conversation; the API reference calls it `CreateConversationResponseBody`.

    Attributes:
        id: `conv_…`, or None where the service didn't send one.
        kind: `ConversationKind.CONVERSATION`, or a plain `str` that this version doesn't know.
        display_name: The name that people see.
        created_at: Unix time in milliseconds; `created` is the same as a `datetime`.
        updated_at: Unix time in milliseconds; `updated` is the same as a `datetime`.
        created_by_id: The user who created it; None where the service didn't say.
        updated_by_id: The user who changed it last; None where the service didn't say.
        metadata: Parent, model and naming state; None where the service sent none.
        extra: Fields of the answer that this version doesn't know, under their wire names.
    """

    id: str | None = field(default=None, metadata={"wire": "_id"})
    kind: ConversationKind | str
    display_name: str
    created_at: float
    updated_at: float
    created_by_id: str | None = None
    updated_by_id: str | None = None
    metadata: ConversationMetadata | None = None
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)

    @property
    def created(self) -> datetime:
        """`created_at` as an aware `datetime` in UTC; raises OutOfRangeError beyond year 9999."""
        return as_datetime(self.created_at)

    @property
    def updated(self) -> datetime:
        """`updated_at` as an aware `datetime` in UTC; raises OutOfRangeError beyond year 9999."""
        return as_datetime(self.updated_at)

    @property
    def entity_id(self) -> str | None:
        """The parent agent or deployment, wherever this revision of the service puts it.

        The first revision sends it beside the name (so it is kept in `extra`), the second
        inside `metadata`. None if neither does.
        """
        within = self.metadata.entity_id if self.metadata else None
        found = self.extra.get("entityId", within)
        return found if isinstance(found, str) else None


@frozen(kw_only=True, repr=False)
class ConversationWithMessages(Conversation):
    """A conversation as `retrieve` gives it.

    Attributes:
        messages: What was said, oldest first; None where the service sent none.
    """

    messages: tuple[Message, ...] | None = None


@frozen(kw_only=True, repr=False)
class ConversationPage(PrettyRepr):
    """One page of a listing.

    Attributes:
        data: The conversations, newest first.
        has_more: Whether there are more in the direction of the listing.
        extra: Fields of the answer that this version doesn't know, under their wire names.
    """

    data: tuple[Conversation, ...]
    has_more: bool = field(metadata={"wire": "has_more"})
    extra: Mapping[str, Any] = field(factory=dict[str, Any], hash=False)


CreateConversationResponseBody = Conversation
CreateConversationKind = ConversationKind
CreateConversationConversationsMetadata = ConversationMetadata
