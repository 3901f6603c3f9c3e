"""JSON schemas (draft 2020-12) of request bodies, and the faults of a body in words."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from conversations_client.sandbox import _ulid

Schema = Mapping[str, object]

CONVERSATION_ID: Final = f"^conv_{_ulid.PATTERN}$"
MESSAGE_ID: Final = f"^msg_{_ulid.PATTERN}$"
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
        schema: One of this module's.

    Returns:
        The validator.
    """
    return Draft202012Validator(schema)


def faults(body: object, check: Draft202012Validator) -> Iterator[str]:
    """Tell what is wrong with a body.

    Args:
        body: The parsed JSON.
        check: The validator of its schema.

    Yields:
        Each fault, led by its JSON path.
    """
    instance = cast("Any", body)
    errors: Iterable[ValidationError] = check.iter_errors(instance)  # pyright: ignore[reportUnknownMemberType]
    for error in sorted(errors, key=lambda error: error.json_path):
        yield f"{error.json_path} {_words(error)}"


def _words(error: ValidationError) -> str:
    """Word a fault without the value, which may be as long as a body can be."""
    expected = cast("object", error.validator_value)
    if error.validator == "type":
        kinds = [expected] if isinstance(expected, str) else cast("list[str]", expected)
        return f"must be of type {' or '.join(str(kind) for kind in kinds)}"
    if error.validator == "required":
        missing = set(cast("list[str]", expected)) - set(cast("dict[str, object]", error.instance))
        return f"must have {' and '.join(sorted(missing))}"
    bound = "at most" if error.validator == "maxLength" else "at least"
    return f"must have {bound} {expected} characters"
