"""JSON schemas (draft 2020-12) of the answers, by their names in the OpenAPI document."""

from typing import Final

from conversations_client.sandbox._message_schemas import PART
from conversations_client.sandbox._schemas import (
    CONVERSATION_ID,
    DISPLAY_NAME,
    MESSAGE_ID,
    METADATA,
    USER_ID,
    Schema,
)

_MILLISECONDS: Final[Schema] = {
    "type": "integer",
    "minimum": 0,
    "description": "Unix time in milliseconds.",
}


def reference(name: str) -> Schema:
    """Point to a schema of the document.

    Args:
        name: Its name.

    Returns:
        The reference.
    """
    return {"$ref": f"#/components/schemas/{name}"}


_CONVERSATION: Final[Schema] = {
    "type": "object",
    "required": [
        "_id",
        "kind",
        "displayName",
        "createdAt",
        "updatedAt",
        "createdById",
        "updatedById",
    ],
    "properties": {
        "_id": {"type": "string", "pattern": CONVERSATION_ID},
        "kind": {"const": "conversation"},
        "displayName": DISPLAY_NAME,
        "createdAt": _MILLISECONDS,
        "updatedAt": _MILLISECONDS,
        "createdById": {"type": "string", "pattern": USER_ID},
        "updatedById": {"type": "string", "pattern": USER_ID},
        "metadata": METADATA,
    },
}

ANSWERS: Final[dict[str, Schema]] = {
    "Conversation": _CONVERSATION,
    "ConversationWithMessages": {
        "allOf": [reference("Conversation")],
        "required": ["messages"],
        "properties": {"messages": {"type": "array", "items": reference("Message")}},
    },
    "ConversationList": {
        "type": "object",
        "required": ["object", "data", "has_more"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": reference("Conversation")},
            "has_more": {"type": "boolean"},
        },
    },
    "Message": {
        "type": "object",
        "required": ["_id", "conversationId", "createdAt", "createdById", "role", "parts"],
        "properties": {
            "_id": {"type": "string", "pattern": MESSAGE_ID},
            "conversationId": {"type": "string", "pattern": CONVERSATION_ID},
            "createdAt": _MILLISECONDS,
            "createdById": {"type": "string"},
            "role": {"enum": ["user", "assistant"]},
            "parts": {"type": "array", "items": reference("Part")},
        },
    },
    "Part": PART,
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
