"""JSON schemas (draft 2020-12) of messages and their parts."""

from typing import Final

from conversations_client.sandbox._models import MODELS
from conversations_client.sandbox._schemas import END, MESSAGE_ID, Schema

_TEXT: Final[Schema] = {"type": "string"}
_ANYTHING: Final[Schema] = {}
_OBJECT: Final[Schema] = {"type": "object"}
_BASE64: Final[Schema] = {
    "type": "string",
    "title": "base64",
    "minLength": 1,
    "contentEncoding": "base64",
    "pattern": f"^(?:[A-Za-z0-9+/]{{4}})*(?:[A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?{END}",
}
_FILE: Final[Schema] = {
    "type": "object",
    "properties": {"bytes": _BASE64, "uri": _TEXT, "mimeType": _TEXT, "name": _TEXT},
    "oneOf": [{"required": ["bytes"]}, {"required": ["uri"]}],
}


def _part(kind: str, **properties: Schema) -> Schema:
    """Describe a message's part of one kind; its first property must be there."""
    return {
        "type": "object",
        "required": ["kind", next(iter(properties))],
        "properties": {"kind": {"const": kind}, **properties},
    }


PART: Final[Schema] = {
    "oneOf": [
        _part("text", text=_TEXT),
        _part("file", file=_FILE, metadata=_OBJECT),
        _part(
            "tool_result",
            tool_call_id={"type": "string", "minLength": 1},
            result=_ANYTHING,
            metadata=_OBJECT,
        ),
        _part("error", error=_TEXT, code={"type": "number"}),
    ]
}

_USER_MESSAGE: Final[Schema] = {
    "type": "object",
    "required": ["role", "parts"],
    "properties": {
        "role": {"const": "user"},
        "parts": {"type": "array", "items": PART},
        "messageId": {"type": "string", "title": "a message's id", "pattern": MESSAGE_ID},
    },
}

CREATE_RESPONSE: Final[Schema] = {
    "type": "object",
    "required": ["message", "model"],
    "properties": {
        "message": _USER_MESSAGE,
        "model": {"enum": list(MODELS)},
        "task_id": {"type": "string"},
        # How a response that isn't streamed would look is documented nowhere.
        "stream": {"const": True, "default": True},
    },
}
