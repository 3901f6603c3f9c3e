"""The sandbox's own description: an OpenAPI 3.1 document."""

from typing import Final

from conversations_client.sandbox import _schemas
from conversations_client.sandbox._answers import ANSWERS, reference
from conversations_client.sandbox._idempotency import HEADER, KEY
from conversations_client.sandbox._message_schemas import CREATE_RESPONSE
from conversations_client.sandbox._page import DEFAULT_LIMIT, MAXIMUM_LIMIT
from conversations_client.sandbox._schemas import Schema

_FAILURES: Final = {
    400: "What was sent can't be understood; or, in generate-name, there is a name already.",
    401: "The API key is missing or wrong.",
    404: "There is no such conversation.",
    409: "There is a message of this id already; or the stream under this key can't be had again.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not sent as application/json.",
    422: "The body is not as described; or its Idempotency-Key was used for another request.",
}
_WITH_BODY: Final = (400, 401, 413, 415, 422)
_REQUEST_ID: Final[Schema] = {
    "X-Request-Id": {
        "description": "What the sandbox calls this exchange.",
        "required": True,
        "schema": {"type": "string"},
    }
}
_IDEMPOTENCY_KEY: Final[Schema] = {
    "name": HEADER,
    "in": "header",
    "description": "The same key and body are done once, and answered alike for 24 hours.",
    "schema": {"type": "string", "pattern": KEY},
}
_WITH_KEY: Final[list[dict[str, list[str]]]] = [{"bearer": []}]
_WITHOUT_KEY: Final[list[dict[str, list[str]]]] = []
_CONVERSATION_ID: Final[Schema] = {
    "name": "conversation_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": _schemas.CONVERSATION_ID},
}


def document() -> Schema:
    """Describe every operation.

    Returns:
        The document as JSON.
    """
    one = "/v2/conversations/{conversation_id}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Conversations API sandbox",
            "version": "2",
            "description": "The Conversations API on a loopback port, kept in SQLite.",
        },
        "security": _WITH_KEY,
        "paths": {
            "/health": {"get": _health()},
            "/v2/conversations": {"get": _list("listConversations"), "post": _create()},
            "/v2/conversations/": {"get": _list("listConversationsWithSlash")},
            one: {
                "parameters": [_CONVERSATION_ID],
                "get": _retrieve(),
                "patch": _update(),
                "delete": _delete(),
            },
            f"{one}/generate-name": {
                "parameters": [_CONVERSATION_ID],
                "post": _generate_name(),
            },
            f"{one}/responses": {
                "parameters": [_CONVERSATION_ID],
                "post": _create_response(),
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": ANSWERS,
            "responses": {str(status): _failure(text) for status, text in _FAILURES.items()},
        },
    }


def _health() -> Schema:
    return {
        "operationId": "health",
        "summary": "Tell that the sandbox answers",
        "security": _WITHOUT_KEY,
        "responses": _responses(200, "Health"),
    }


def _create() -> Schema:
    return {
        "operationId": "createConversation",
        "summary": "Create a conversation",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(_schemas.CREATE),
        "responses": _responses(201, "Conversation", *_WITH_BODY),
    }


def _list(operation_id: str) -> Schema:
    cursor = {"type": "string", "pattern": _schemas.CONVERSATION_ID}
    limit = {
        "type": "integer",
        "minimum": 1,
        "maximum": MAXIMUM_LIMIT,
        "default": DEFAULT_LIMIT,
    }
    return {
        "operationId": operation_id,
        "summary": "Show a page of conversations, the newest first",
        "parameters": [
            _query("limit", limit, "How many at most."),
            _query("startingAfter", cursor, "Only what is older; not with endingBefore."),
            _query("endingBefore", cursor, "Only what is newer; not with startingAfter."),
            _query("entityId", {"type": "string"}, "Whose; left out, those that stand alone."),
        ],
        "responses": _responses(200, "ConversationList", 400, 401),
    }


def _retrieve() -> Schema:
    return {
        "operationId": "retrieveConversation",
        "summary": "Show a conversation with its messages, the oldest first",
        "responses": _responses(200, "ConversationWithMessages", 401, 404),
    }


def _update() -> Schema:
    return {
        "operationId": "updateConversation",
        "summary": "Change what the body names, inside metadata too",
        "requestBody": _body(_schemas.UPDATE),
        "responses": _responses(200, "Conversation", *_WITH_BODY, 404),
    }


def _delete() -> Schema:
    done = {"description": "It is gone.", "headers": _REQUEST_ID}
    return {
        "operationId": "deleteConversation",
        "summary": "Delete a conversation with its messages",
        "responses": {"204": done, **_failures(401, 404)},
    }


def _generate_name() -> Schema:
    return {
        "operationId": "generateConversationName",
        "summary": "Name a conversation that has no name yet",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(_schemas.GENERATE_NAME),
        "responses": _responses(200, "Conversation", *_WITH_BODY, 404),
    }


def _create_response() -> Schema:
    events = (
        'Events, each one line "data: " and JSON {"type", "timestamp", "data"}, then an empty one.'
    )
    event = {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "string", "description": events}},
    }
    streamed = {
        "description": "Being streamed.",
        "headers": _REQUEST_ID,
        "content": {"text/event-stream": {"schema": event}},
    }
    return {
        "operationId": "createResponse",
        "summary": "Store a message and stream a response to it",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(CREATE_RESPONSE),
        "responses": {"200": streamed, **_failures(*_WITH_BODY, 404, 409)},
    }


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _responses(status: int, answer: str, *failures: int) -> Schema:
    success = {
        "description": "Done.",
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": reference(answer)}},
    }
    return {str(status): success, **_failures(*failures)}


def _failures(*statuses: int) -> dict[str, Schema]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _failure(description: str) -> Schema:
    return {
        "description": description,
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": reference("Error")}},
    }
