"""The wire's JSON: how what is stored looks from outside."""

import json

from starlette.responses import Response

from conversations_client.sandbox._records import Conversation, Message


def encode(value: object) -> bytes:
    """Write JSON.

    Args:
        value: Anything JSON can hold; no infinities.

    Returns:
        UTF-8.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def render(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Make a JSON response.

    Args:
        value: Its content.
        status: The HTTP status; 200 unless told.
        headers: What to send besides.

    Returns:
        The response.
    """
    return Response(encode(value), status, headers, media_type="application/json")


def conversation_json(conversation: Conversation) -> dict[str, object]:
    """Show a conversation by its wire names.

    Args:
        conversation: The conversation as stored.

    Returns:
        JSON; without `metadata` if none was ever given.
    """
    shown: dict[str, object] = {
        "_id": conversation.id,
        "kind": "conversation",
        "displayName": conversation.display_name,
        "createdAt": conversation.created_at,
        "updatedAt": conversation.updated_at,
        "createdById": conversation.created_by_id,
        "updatedById": conversation.updated_by_id,
    }
    if conversation.metadata is not None:
        shown["metadata"] = conversation.metadata
    return shown


def message_json(message: Message) -> dict[str, object]:
    """Show a message by its wire names.

    Args:
        message: The message as stored.

    Returns:
        JSON.
    """
    return {
        "_id": message.id,
        "conversationId": message.conversation_id,
        "createdAt": message.created_at,
        "createdById": message.created_by_id,
        "role": message.role,
        "parts": message.parts,
    }
