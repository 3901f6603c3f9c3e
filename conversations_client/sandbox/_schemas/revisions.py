"""The differences between the two published revisions of the API."""

from typing import Final

from attrs import frozen

from . import requests, responses
from .requests import Schema


@frozen(kw_only=True)
class Revision:
    """A revision of the API.

    Attributes:
        number: Its number.
        create: The schema of the body that creates a conversation.
        update: The schema of the body that updates a conversation.
        metadata: The schema of a conversation's metadata.
        has_entity_id: Whether a conversation has an `entityId` outside `metadata`.
        has_responses: Whether a conversation has responses, and `retrieve` returns its messages.
        list_paths: The paths of the list operation.
        lists_by_entity: Whether a listing returns only the conversations of one entity, or only
            those without an entity.
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
        """Return the schemas of responses.

        Returns:
            The schemas by their names in the OpenAPI document.
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
        # The API's documentation has a slash at the end of the path; some SDKs omit it.
        list_paths=("/v2/conversations", "/v2/conversations/"),
        lists_by_entity=True,
    ),
}
