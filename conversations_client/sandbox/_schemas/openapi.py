"""The OpenAPI 3.1 document of the sandbox, for either revision of the API."""

from typing import Final

from . import requests
from .requests import Schema
from .responses import reference
from .revisions import Revision

_ONE: Final = "/v2/conversations/{conversation_id}"
_ERRORS: Final = {
    400: "The request is malformed; for generate-name, the conversation already has a name.",
    401: "The API key is missing or wrong.",
    404: "The conversation doesn't exist.",
    409: "The message ID is taken, or the stream for this key can't be repeated.",
    413: "The body is larger than 32 MiB.",
    415: "The body isn't sent as application/json.",
    422: "The body is invalid, or its Idempotency-Key was used for a different request.",
}
_WITH_BODY: Final = (400, 401, 413, 415, 422)
_REQUEST_ID: Final[Schema] = {
    "X-Request-Id": {
        "description": "The ID of this request.",
        "required": True,
        "schema": {"type": "string"},
    }
}
_IDEMPOTENCY_KEY: Final[Schema] = {
    "name": requests.IDEMPOTENCY_HEADER,
    "in": "header",
    "description": "For 24 hours, a request with the same key and body gets the first response.",
    "schema": {"type": "string", "pattern": requests.IDEMPOTENCY_KEY},
}
_WITH_KEY: Final[list[dict[str, list[str]]]] = [{"bearer": []}]
_WITHOUT_KEY: Final[list[dict[str, list[str]]]] = []
_CONVERSATION_ID: Final[Schema] = {
    "name": "conversation_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": requests.CONVERSATION_ID},
}


def document(revision: Revision, *, create_response: Schema) -> Schema:
    """Describe every operation.

    Args:
        revision: The revision of the API.
        create_response: The body of a request that creates a response.

    Returns:
        The document as JSON.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Conversations API sandbox",
            "version": str(revision.number),
            "description": "The Conversations API on this machine, with its data in SQLite.",
        },
        "security": _WITH_KEY,
        "paths": _paths(revision, create_response),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": revision.schemas(),
            "responses": {str(status): _error(text) for status, text in _ERRORS.items()},
        },
    }


def _paths(revision: Revision, create_response: Schema) -> dict[str, Schema]:
    paths: dict[str, dict[str, object]] = {
        "/health": {"get": _health()},
        **{path: {"get": _list(path, revision)} for path in revision.list_paths},
        _ONE: {
            "parameters": [_CONVERSATION_ID],
            "get": _retrieve(revision),
            "patch": _update(revision),
            "delete": _delete(),
        },
        f"{_ONE}/generate-name": {"parameters": [_CONVERSATION_ID], "post": _generate_name()},
    }
    paths["/v2/conversations"]["post"] = _create(revision)
    if revision.has_responses:
        paths[f"{_ONE}/responses"] = {
            "parameters": [_CONVERSATION_ID],
            "post": _create_response(create_response),
        }
    return dict(paths)


def _health() -> Schema:
    return {
        "operationId": "health",
        "summary": "Check that the sandbox is running",
        "security": _WITHOUT_KEY,
        "responses": _responses(200, "Health"),
    }


def _create(revision: Revision) -> Schema:
    return {
        "operationId": "createConversation",
        "summary": "Create a conversation",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(revision.create),
        "responses": _responses(201, "Conversation", *_WITH_BODY),
    }


def _list(path: str, revision: Revision) -> Schema:
    cursor = {"type": "string", "pattern": requests.CONVERSATION_ID}
    limit = {
        "type": "integer",
        "minimum": 1,
        "maximum": requests.MAXIMUM_LIMIT,
        "default": requests.DEFAULT_LIMIT,
    }
    parameters = [
        _query("limit", limit, "The maximum number of conversations to return."),
        _query(
            "startingAfter",
            cursor,
            "Return older conversations; can't be combined with endingBefore.",
        ),
        _query(
            "endingBefore",
            cursor,
            "Return newer conversations; can't be combined with startingAfter.",
        ),
    ]
    if revision.lists_by_entity:
        text = "The entity. Default: list conversations without an entity."
        parameters.append(_query("entityId", {"type": "string"}, text))
    return {
        "operationId": "listConversationsWithSlash" if path.endswith("/") else "listConversations",
        "summary": "List a page of conversations, newest first",
        "parameters": parameters,
        "responses": _responses(200, "ConversationList", 400, 401),
    }


def _retrieve(revision: Revision) -> Schema:
    if revision.has_responses:
        summary, schema = "Retrieve a conversation with its messages", "ConversationWithMessages"
    else:
        summary, schema = "Retrieve a conversation", "Conversation"
    return {
        "operationId": "retrieveConversation",
        "summary": summary,
        "responses": _responses(200, schema, 401, 404),
    }


def _update(revision: Revision) -> Schema:
    return {
        "operationId": "updateConversation",
        "summary": "Change the given fields, including fields in metadata",
        "requestBody": _body(revision.update),
        "responses": _responses(200, "Conversation", *_WITH_BODY, 404),
    }


def _delete() -> Schema:
    deleted = {"description": "The conversation was deleted.", "headers": _REQUEST_ID}
    return {
        "operationId": "deleteConversation",
        "summary": "Delete a conversation and its messages",
        "responses": {"204": deleted, **_errors(401, 404)},
    }


def _generate_name() -> Schema:
    return {
        "operationId": "generateConversationName",
        "summary": "Name a conversation that was created without a name",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(requests.GENERATE_NAME),
        "responses": _responses(200, "Conversation", *_WITH_BODY, 404),
    }


def _create_response(body: Schema) -> Schema:
    events = (
        'Each event is a line "data: {"type", "timestamp", "data"}", followed by an empty line.'
    )
    event = {
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "string", "description": events}},
    }
    streamed = {
        "description": "The stream of events.",
        "headers": _REQUEST_ID,
        "content": {"text/event-stream": {"schema": event}},
    }
    return {
        "operationId": "createResponse",
        "summary": "Store a message and stream the response",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(body),
        "responses": {"200": streamed, **_errors(*_WITH_BODY, 404, 409)},
    }


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _responses(status: int, schema: str, *errors: int) -> Schema:
    success = {
        "description": "Success.",
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": reference(schema)}},
    }
    return {str(status): success, **_errors(*errors)}


def _errors(*statuses: int) -> dict[str, Schema]:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _error(description: str) -> Schema:
    return {
        "description": description,
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": reference("Error")}},
    }
