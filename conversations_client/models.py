"""Conversations, as frozen attrs classes.

Each attribute is the snake case of its wire name, except where `metadata={"wire": …}` names
another. An attribute is None where the service sent nothing or null. Unknown fields, and the nulls
of attributes that may be null, are kept in `extra` under their wire names and written back
unchanged.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from conversations_client._fields.display import PrettyRepr
from conversations_client._fields.extra import NO_EXTRA
from conversations_client._fields.times import as_datetime
from conversations_client._fields.wire import nullable


class ConversationKind(StrEnum):
    """The known kinds of conversation; an unknown kind arrives as a plain `str`."""

    CONVERSATION = "conversation"


@frozen(kw_only=True, repr=False)
class ConversationMetadata(PrettyRepr):
    """The metadata of a conversation."""

    generating_title: bool | None = None
    """Whether the service is still generating a name; None if the service did not send it."""
    entity_id: str | None = field(default=None, metadata=nullable())
    """The ID of the parent agent or deployment; None if there is none."""
    model: str | None = field(default=None, metadata=nullable())
    """The model of the conversation, `provider/model_id`; None if there is none."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, under their wire names."""


@frozen(kw_only=True, repr=False)
class Conversation(PrettyRepr):
    """A conversation; the API reference calls it `CreateConversationResponseBody`."""

    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The ID, `conv_…`; None if the service did not send one."""
    kind: ConversationKind | str
    """`ConversationKind.CONVERSATION`, or a plain `str` for an unknown kind."""
    display_name: str
    """The name that people see."""
    created_at: float
    """When it was created, in Unix milliseconds; `created` is the same as a `datetime`."""
    updated_at: float
    """When it last changed, in Unix milliseconds; `updated` is the same as a `datetime`."""
    created_by_id: str | None = None
    """The ID of the user who created it; None if the service did not send it."""
    updated_by_id: str | None = None
    """The ID of the user who last changed it; None if the service did not send it."""
    metadata: ConversationMetadata | None = None
    """Parent, model and naming state; None if the service did not send them."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, under their wire names."""

    @property
    def created(self) -> datetime:
        """`created_at` as an aware `datetime` in UTC.

        Raises:
            OutOfRangeError: The time is outside the years 1 to 9999.
        """
        return as_datetime(self.created_at)

    @property
    def updated(self) -> datetime:
        """`updated_at` as an aware `datetime` in UTC.

        Raises:
            OutOfRangeError: The time is outside the years 1 to 9999.
        """
        return as_datetime(self.updated_at)

    @property
    def entity_id(self) -> str | None:
        """The ID of the parent agent or deployment; None if there is none.

        The first revision of the service sends it beside the name (so it is in `extra`), the second
        inside `metadata`.
        """
        inside = self.metadata.entity_id if self.metadata else None
        found = self.extra.get("entityId", inside)
        return found if isinstance(found, str) else None


@frozen(kw_only=True, repr=False)
class ConversationPage(PrettyRepr):
    """One page of a listing."""

    data: tuple[Conversation, ...]
    """The conversations, newest first."""
    has_more: bool = field(metadata={"wire": "has_more"})
    """Whether there are more in the direction of the listing."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, under their wire names."""


CreateConversationResponseBody = Conversation
"""The API reference's name for `Conversation`."""
CreateConversationKind = ConversationKind
"""The API reference's name for `ConversationKind`."""
CreateConversationConversationsMetadata = ConversationMetadata
"""The API reference's name for `ConversationMetadata`."""
