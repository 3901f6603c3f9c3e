"""JSON schemas (draft 2020-12) of responses, keyed by their names in the OpenAPI document."""

from typing import Final

from .messages import PART
from .requests import (
    CONVERSATION_ID,
    DISPLAY_NAME,
    MESSAGE_ID,
    USER_ID,
    Schema,
)

_MILLISECONDS: Final[Schema] = {
    "type": "integer",
    "minimum": 0,
    "description": "Unix time in milliseconds.",
}
_REQUIRED: Final = (
    "_id",
    "kind",
    "displayName",
    "createdAt",
    "updatedAt",
    "createdById",
    "updatedById",
)

MESSAGE_SCHEMAS: Final[dict[str, Schema]] = {
    "Message": {
        "type": "object",
        "required": ["_id", "conversationId", "createdAt", "createdById", "role", "parts"],
        "properties": {
            "_id": {"type": "string", "pattern": MESSAGE_ID},
            "conversationId": {"type": "string", "pattern": CONVERSATION_ID},
            "createdAt": _MILLISECONDS,
            "createdById": {"type": "string"},
            "role": {"enum": ["user", "assistant"]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
        },
    },
    "Part": PART,
}


def reference(name: str) -> Schema:
    """Refer to a schema of the document.

    Args:
        name: The schema's name.

    Returns:
        The reference.
    """
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: Final[dict[str, Schema]] = {
    "ConversationList": {
        "type": "object",
        "required": ["object", "data", "has_more"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": reference("Conversation")},
            "has_more": {"type": "boolean"},
        },
    },
    "Health": {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"const": "ok"}},
    },
    "Error": {
        "type": "object",
        "required": ["message"],
        "properties": {"message": {"type": "string"}},
    },
}


def conversation(metadata: Schema, *, has_entity_id: bool) -> Schema:
    """Describe a conversation.

    Args:
        metadata: The schema of its metadata.
        has_entity_id: Whether it has an `entityId` outside `metadata`.

    Returns:
        The schema.
    """
    entity: dict[str, Schema] = {"entityId": {"type": "string"}} if has_entity_id else {}
    return {
        "type": "object",
        "required": [*_REQUIRED, *entity],
        "properties": {
            "_id": {"type": "string", "pattern": CONVERSATION_ID},
            "kind": {"const": "conversation"},
            "displayName": DISPLAY_NAME,
            "createdAt": _MILLISECONDS,
            "updatedAt": _MILLISECONDS,
            "createdById": {"type": "string", "pattern": USER_ID},
            "updatedById": {"type": "string", "pattern": USER_ID},
            "metadata": metadata,
            **entity,
        },
    }


def conversation_with_messages() -> Schema:
    """Describe a conversation with its messages.

    Returns:
        The schema.
    """
    return {
        "allOf": [reference("Conversation")],
        "required": ["messages"],
        "properties": {"messages": {"type": "array", "items": reference("Message")}},
    }
