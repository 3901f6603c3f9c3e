"""The API's two published revisions, as data: whatever differs between them is here."""

from typing import Final

from attrs import frozen

from . import requests, responses
from .requests import Schema


@frozen(kw_only=True)
class Revision:
    """One revision of the API.

    Attributes:
        number: Its number.
        create: The body that creates a conversation.
        update: The body that updates one.
        metadata: A conversation's metadata.
        has_entity_id: Whether a conversation has an `entityId` beside `metadata`.
        has_responses: Whether a conversation has responses, and `retrieve` returns its messages.
        list_paths: Where conversations are listed.
        lists_by_entity: Whether a listing is of one entity, or of those without one.
    """

    number: int
    create: Schema
    update: Schema
    metadata: Schema
    has_entity_id: bool
    has_responses: bool
    list_paths: tuple[str, ...]
    lists_by_entity: bool

    def schemas(self) -> dict[str, Schema]:
        """List the schemas of responses.

        Returns:
            Each schema by its name in the OpenAPI document.
        """
        conversation = responses.conversation(self.metadata, has_entity_id=self.has_entity_id)
        schemas = {"Conversation": conversation, **responses.SCHEMAS}
        if self.has_responses:
            schemas["ConversationWithMessages"] = responses.conversation_with_messages()
            schemas |= responses.MESSAGE_SCHEMAS
        return schemas


REVISIONS: Final = {
    1: Revision(
        number=1,
        create=requests.FIRST_CREATE,
        update=requests.FIRST_UPDATE,
        metadata=requests.FIRST_METADATA,
        has_entity_id=True,
        has_responses=False,
        list_paths=("/v2/conversations",),
        lists_by_entity=False,
    ),
    2: Revision(
        number=2,
        create=requests.CREATE,
        update=requests.UPDATE,
        metadata=requests.METADATA,
        has_entity_id=False,
        has_responses=True,
        # Documented with the slash; SDKs of the time still call it without.
        list_paths=("/v2/conversations", "/v2/conversations/"),
        lists_by_entity=True,
    ),
}
