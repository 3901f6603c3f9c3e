"""Builds JSON responses and the API's JSON for stored records."""

from starlette.responses import Response

from conversations_client.sandbox._schemas.revisions import Revision
from conversations_client.sandbox._storage.json_encoding import encode
from conversations_client.sandbox._storage.records import Conversation, Message


def json_response(
    value: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Build a JSON response.

    Args:
        value: The JSON value.
        status: The HTTP status. Default: 200.
        headers: Additional headers.

    Returns:
        The response.
    """
    return Response(encode(value), status, headers, media_type="application/json")


def conversation_json(conversation: Conversation, revision: Revision) -> dict[str, object]:
    """Convert a conversation to JSON with wire names.

    Args:
        conversation: The stored conversation.
        revision: The revision of the API.

    Returns:
        The JSON object; it has no `metadata` if the conversation never had metadata.
    """
    fields: dict[str, object] = {
        "_id": conversation.id,
        "kind": "conversation",
        "displayName": conversation.display_name,
        "createdAt": conversation.created_at,
        "updatedAt": conversation.updated_at,
        "createdById": conversation.created_by_id,
        "updatedById": conversation.updated_by_id,
    }
    if revision.has_entity_id:
        fields["entityId"] = conversation.entity_id
    if conversation.metadata is not None:
        fields["metadata"] = conversation.metadata
    return fields


def message_json(message: Message) -> dict[str, object]:
    """Convert a message to JSON with wire names.

    Args:
        message: The stored message.

    Returns:
        The JSON object.
    """
    return {
        "_id": message.id,
        "conversationId": message.conversation_id,
        "createdAt": message.created_at,
        "createdById": message.created_by_id,
        "role": message.role,
        "parts": message.parts,
    }
