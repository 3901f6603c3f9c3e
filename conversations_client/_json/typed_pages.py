"""Parses pages of conversations with msgspec's typed decoder, part of the `speedups` extra.

The decoder checks the types while it parses. If a page contains anything else, such as a field from
a later version of the API, it is parsed like any other document.
"""

from typing import Any, Final

from msgspec import UNSET, MsgspecError, Struct, UnsetType, field
from msgspec.json import Decoder

from conversations_client._fields.extra import NO_EXTRA
from conversations_client.models import Conversation, ConversationMetadata, ConversationPage

from .structure_models import (
    FillableConversation,
    FillableConversationMetadata,
    FillableConversationPage,
    known_conversation_kind,
)

# The fields have their wire names, because renaming them slows msgspec down.


class _WireMetadata(Struct, forbid_unknown_fields=True, gc=False):
    generatingTitle: bool | UnsetType = UNSET  # noqa: N815
    entityId: str | UnsetType | None = UNSET  # noqa: N815
    model: str | UnsetType | None = UNSET


class _WireConversation(Struct, forbid_unknown_fields=True, gc=False):
    kind: str
    displayName: str  # noqa: N815
    createdAt: int | float  # noqa: N815
    updatedAt: int | float  # noqa: N815
    id: str | UnsetType = field(default=UNSET, name="_id")
    createdById: str | UnsetType = UNSET  # noqa: N815
    updatedById: str | UnsetType = UNSET  # noqa: N815
    metadata: _WireMetadata | UnsetType = UNSET
    entityId: str | UnsetType = UNSET  # noqa: N815


class _WirePage(Struct, forbid_unknown_fields=True, gc=False):
    data: list[_WireConversation]
    has_more: bool
    object: str | UnsetType = UNSET


_decode: Final = Decoder(_WirePage).decode
_new: Final[Any] = object.__new__


def read_page(body: bytes) -> ConversationPage | None:
    """The page in a document; None if the typed decoder can't parse it."""
    try:
        page = _decode(body)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    self: Any = _new(FillableConversationPage)
    self.data = tuple([_conversation(each) for each in page.data])
    self.has_more = page.has_more
    self.extra = NO_EXTRA if page.object is UNSET else {"object": page.object}
    self.__class__ = ConversationPage
    return self  # type: ignore[no-any-return]


def _conversation(wire: _WireConversation) -> Conversation:
    self: Any = _new(FillableConversation)
    x: Any = wire.id
    self.id = None if x is UNSET else x
    self.kind = known_conversation_kind.get(wire.kind, wire.kind)
    self.display_name = wire.displayName
    self.created_at = wire.createdAt
    self.updated_at = wire.updatedAt
    x = wire.createdById
    self.created_by_id = None if x is UNSET else x
    x = wire.updatedById
    self.updated_by_id = None if x is UNSET else x
    x = wire.metadata
    self.metadata = None if x is UNSET else _metadata(x)
    x = wire.entityId
    self.extra = NO_EXTRA if x is UNSET else {"entityId": x}
    self.__class__ = Conversation
    return self  # type: ignore[no-any-return]


def _metadata(wire: _WireMetadata) -> ConversationMetadata:
    self: Any = _new(FillableConversationMetadata)
    x: Any = wire.generatingTitle
    self.generating_title = None if x is UNSET else x
    entity_id: Any = wire.entityId
    self.entity_id = None if entity_id is UNSET else entity_id
    model: Any = wire.model
    self.model = None if model is UNSET else model
    self.extra = NO_EXTRA
    if entity_id is None or model is None:
        nulls = (("entityId", entity_id), ("model", model))
        self.extra = {name: None for name, value in nulls if value is None}
    self.__class__ = ConversationMetadata
    return self  # type: ignore[no-any-return]
