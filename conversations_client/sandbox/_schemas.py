"""JSON schemas (draft 2020-12) of request bodies."""

from collections.abc import Mapping
from typing import Final

from jsonschema import Draft202012Validator

from conversations_client.sandbox import _ulid

Schema = Mapping[str, object]

# Python's `$` also matches before a last newline; the lookahead makes it what it is elsewhere.
END: Final = r"$(?!\n)"

CONVERSATION_ID: Final = f"^conv_{_ulid.PATTERN}$"
MESSAGE_ID: Final = f"^msg_{_ulid.PATTERN}{END}"
USER_ID: Final = f"^user_{_ulid.PATTERN}$"

NAME_LENGTH: Final = 100

DISPLAY_NAME: Final[Schema] = {"type": "string", "maxLength": NAME_LENGTH}

METADATA: Final[Schema] = {
    "type": "object",
    "properties": {
        "generatingTitle": {"type": "boolean"},
        "entityId": {"type": ["string", "null"]},
        "model": {"type": ["string", "null"]},
    },
}

# The service's two revisions disagree over what a body must hold: one has no `projectId`, the
# other requires it, one requires `metadata`, the other doesn't. What both understand is taken
# from either. Neither says what becomes of further fields; they are ignored.
CREATE: Final[Schema] = {
    "type": "object",
    "properties": {
        "displayName": {**DISPLAY_NAME, "default": "Untitled"},
        "projectId": {"type": "string"},
        "metadata": METADATA,
    },
}

UPDATE_METADATA: Final[Schema] = {
    "type": "object",
    "properties": {
        "generatingTitle": {"type": "boolean"},
        "entityId": {"type": ["string", "null"]},
    },
}

UPDATE: Final[Schema] = {
    "type": "object",
    "properties": {"displayName": DISPLAY_NAME, "metadata": UPDATE_METADATA},
}

GENERATE_NAME: Final[Schema] = {
    "type": "object",
    "required": ["context"],
    "properties": {"context": {"type": "string", "minLength": 1}},
}


def validator(schema: Schema) -> Draft202012Validator:
    """Make a schema ready to check bodies with.

    Args:
        schema: The schema of a body.

    Returns:
        The validator.
    """
    return Draft202012Validator(schema)
