"""JSON schemas (draft 2020-12) of request bodies and of fields that responses share."""

from collections.abc import Mapping
from typing import Final

from jsonschema import Draft202012Validator

from conversations_client.sandbox._storage import ulid

Schema = Mapping[str, object]

# Python's `$` also matches before a final newline; the lookahead rules that out.
END: Final = r"$(?!\n)"

CONVERSATION_ID: Final = f"^conv_{ulid.PATTERN}$"
MESSAGE_ID: Final = f"^msg_{ulid.PATTERN}{END}"
USER_ID: Final = f"^user_{ulid.PATTERN}$"

NAME_LENGTH: Final = 100

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
IDEMPOTENCY_KEY: Final = "^[!-~]{1,255}$"

DEFAULT_LIMIT: Final = 10
MAXIMUM_LIMIT: Final = 100

DISPLAY_NAME: Final[Schema] = {"type": "string", "maxLength": NAME_LENGTH}

GENERATE_NAME: Final[Schema] = {
    "type": "object",
    "required": ["context"],
    "properties": {"context": {"type": "string", "minLength": 1}},
}

_TEXT: Final[Schema] = {"type": "string"}
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_NULLABLE: Final[Schema] = {"type": ["string", "null"]}


def metadata(*, required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Describe a conversation's metadata.

    Args:
        required: The fields that must be present.
        **properties: The fields besides `generatingTitle`.

    Returns:
        The schema.
    """
    schema = {"type": "object", "properties": {"generatingTitle": _BOOLEAN, **properties}}
    return {**schema, "required": list(required)} if required else schema


# Unknown fields are ignored, because neither revision documents how the service treats them.

METADATA: Final = metadata(entityId=_NULLABLE, model=_NULLABLE)
UPDATE_METADATA: Final = metadata(entityId=_NULLABLE)
# The second revision documents `projectId` as required. It is optional here, so that a program can
# run without a project.
CREATE: Final[Schema] = {
    "type": "object",
    "properties": {
        "displayName": {**DISPLAY_NAME, "default": "Untitled"},
        "projectId": _TEXT,
        "metadata": METADATA,
    },
}
UPDATE: Final[Schema] = {
    "type": "object",
    "properties": {"displayName": DISPLAY_NAME, "metadata": UPDATE_METADATA},
}

FIRST_METADATA: Final = metadata(entityId=_TEXT)
FIRST_CREATE: Final[Schema] = {
    "type": "object",
    "required": ["metadata"],
    "properties": {
        "displayName": {**DISPLAY_NAME, "default": "Untitled"},
        "metadata": metadata(required=("entityId",), entityId=_TEXT),
    },
}
FIRST_UPDATE: Final[Schema] = {
    "type": "object",
    "properties": {"displayName": DISPLAY_NAME, "metadata": FIRST_METADATA},
}


def validator(schema: Schema) -> Draft202012Validator:
    """Create the validator for a schema.

    Args:
        schema: The schema of a body.

    Returns:
        The validator.
    """
    return Draft202012Validator(schema)
