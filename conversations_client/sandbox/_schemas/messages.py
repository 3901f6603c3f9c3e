"""JSON schemas (draft 2020-12) of messages, their parts, and requests that create a response."""

import re
from collections.abc import Sequence
from typing import Final

from .requests import END, MESSAGE_ID, Schema

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
    """Describe a part of one kind; its first property is required."""
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


def create_response(*, own_models: Sequence[str], other_models: Sequence[str] | None) -> Schema:
    """Describe the body of a request that creates a response.

    Args:
        own_models: The sandbox's own models.
        other_models: The other accepted models; None for any `provider/model_id`.

    Returns:
        The schema.
    """
    return {
        "type": "object",
        "required": ["message", "model"],
        "properties": {
            "message": _USER_MESSAGE,
            "model": _any_model(own_models)
            if other_models is None
            else {"enum": list(dict.fromkeys([*own_models, *other_models]))},
            "task_id": {"type": "string"},
            # Only streamed responses are documented.
            "stream": {"const": True, "default": True},
        },
    }


def _any_model(own_models: Sequence[str]) -> Schema:
    """Accept the models of any provider, but reject unknown models of the sandbox."""
    provider = own_models[0].partition("/")[0]
    own = "|".join(map(re.escape, own_models))
    return {
        "type": "string",
        "title": f"provider/model_id, or one of {', '.join(own_models)}",
        "pattern": rf"^(?:{own}|(?!{provider}/)[^/\x00-\x20]+/[^\x00-\x20]+){END}",
    }
