"""Conversations, as frozen attrs classes.

The name of an attribute is its wire name in snake case, unless `metadata={"wire": …}` specifies a
different wire name. An attribute is None if the service did not send it or sent null. `extra`
contains the unknown fields and the known fields that are null, keyed by their wire names;
`unstructure` returns them unchanged.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from conversations_client._fields.extra import NO_EXTRA
from conversations_client._fields.field_metadata import nullable
from conversations_client._fields.pretty_repr import PrettyRepr
from conversations_client._fields.times import as_datetime


class ConversationKind(StrEnum):
    """The known kinds of conversation; an unknown kind is a plain `str`."""

    CONVERSATION = "conversation"


@frozen(kw_only=True, repr=False)
class ConversationMetadata(PrettyRepr):
    """The metadata of a conversation.

    Example:
        metadata = ConversationMetadata(model="openai/gpt-4o")
        client.conversations.create(display_name="Refunds", metadata=metadata)
    """

    generating_title: bool | None = None
    """Whether the service is still generating a name; None if it did not send the field."""
    entity_id: str | None = field(default=None, metadata=nullable())
    """The ID of the parent agent or deployment; None if there is none."""
    model: str | None = field(default=None, metadata=nullable())
    """The conversation's model, as `provider/model_id`; None if there is none."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""


@frozen(kw_only=True, repr=False)
class Conversation(PrettyRepr):
    """A conversation; the API reference calls it `CreateConversationResponseBody`.

    Example:
        conversation = client.conversations.create(display_name="Refunds")
        print(conversation.id, conversation.display_name, conversation.created)
    """

    id: str | None = field(default=None, metadata={"wire": "_id"})
    """The conversation ID, `conv_…`; None if the service did not send one."""
    kind: ConversationKind | str
    """`ConversationKind.CONVERSATION`, or a plain `str` for an unknown kind."""
    display_name: str
    """The name that users see."""
    created_at: float
    """The creation time, in Unix milliseconds; `created` returns it as a `datetime`."""
    updated_at: float
    """The time of the last change, in Unix milliseconds; `updated` returns it as a `datetime`. The
    API's documentation doesn't say whether a message changes it; in the sandbox, none does."""
    created_by_id: str | None = None
    """The ID of the user who created the conversation; None if the service did not send it."""
    updated_by_id: str | None = None
    """The ID of the user who last changed the conversation; None if the service did not send it."""
    metadata: ConversationMetadata | None = None
    """The parent, the model and the state of name generation; None if the service did not send
    metadata."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""

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

        The API's documentation doesn't say whether a message changes it; in the sandbox, none does.

        Raises:
            OutOfRangeError: The time is outside the years 1 to 9999.
        """
        return as_datetime(self.updated_at)

    @property
    def entity_id(self) -> str | None:
        """The ID of the parent agent or deployment; None if there is none.

        The API's first revision returns it at the top level, so it is in `extra`; the second
        revision returns it in `metadata`.
        """
        in_metadata = self.metadata.entity_id if self.metadata else None
        entity_id = self.extra.get("entityId", in_metadata)
        return entity_id if isinstance(entity_id, str) else None


@frozen(kw_only=True, repr=False)
class ConversationPage(PrettyRepr):
    """One page of a listing."""

    data: tuple[Conversation, ...]
    """The conversations, newest first."""
    has_more: bool = field(metadata={"wire": "has_more"})
    """Whether there are more conversations in the direction of the listing."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, hash=False)
    """Fields without an attribute, keyed by their wire names."""

    @property
    def next_cursor(self) -> str | None:
        """The `starting_after` argument for the next page; None on the last page.

        It isn't meaningful for a page that was requested with `ending_before`. To continue such a
        listing, pass the ID of the first conversation as `ending_before`.

        Example:
            page = client.conversations.list(limit=20).page()
            if page.next_cursor:
                older = client.conversations.list(limit=20, starting_after=page.next_cursor).page()
        """
        return self.data[-1].id if self.has_more and self.data else None


CreateConversationResponseBody = Conversation
"""The API reference's name for `Conversation`."""
CreateConversationKind = ConversationKind
"""The API reference's name for `ConversationKind`."""
CreateConversationConversationsMetadata = ConversationMetadata
"""The API reference's name for `ConversationMetadata`."""
