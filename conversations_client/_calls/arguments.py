"""Checks and serializes arguments; each check raises InvalidArgumentError."""

import math
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final, cast
from urllib.parse import quote

# pydantic, and so FastAPI, accepts typing.TypedDict only on Python 3.12 and later.
from typing_extensions import TypedDict

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.text import shown
from conversations_client._base.unset import UNSET
from conversations_client.errors import InvalidArgumentError
from conversations_client.models import Conversation, ConversationMetadata

from .pydantic_typed_dicts import InstanceSchema, checked_strictly

MAX_DISPLAY_NAME_LENGTH: Final = 100
MAX_PAGE_SIZE: Final = 100
_METADATA: Final = {
    "generating_title": "generatingTitle",
    "entity_id": "entityId",
    "model": "model",
}
"""The wire names of the metadata."""


def _set_fields(metadata: ConversationMetadata) -> dict[str, Any]:
    fields = {name: getattr(metadata, name) for name in _METADATA}
    return {name: value for name, value in fields.items() if value is not None}


@checked_strictly
class ConversationMetadataUpdateParam(TypedDict, total=False):
    """The metadata to change. Fields that you leave out don't change; None sends null.

    Example:
        metadata = ConversationMetadataUpdateParam(entity_id="agent_support")
        client.conversations.update(conversation_id, metadata=metadata)
    """

    generating_title: bool
    entity_id: str | None


@checked_strictly
class ConversationMetadataParam(TypedDict, total=False):
    """The metadata to send. Fields that you leave out aren't sent; None sends null.

    Example:
        metadata = ConversationMetadataParam(model="openai/gpt-4o")
        client.conversations.create(display_name="Refunds", metadata=metadata)
    """

    generating_title: bool
    entity_id: str | None
    model: str | None


@checked_strictly
class CreateRequest(TypedDict, total=False):
    """A conversation to create. The keys are the arguments of `create`; all are optional.

    Without `project_id`, the client's project is used; pass None to send no project.

    Example:
        requests = [CreateRequest(display_name=f"Refund {number}") for number in range(3)]
        with client.conversations.create_many(requests) as outcomes:
            assert all(isinstance(outcome, Created) for outcome in outcomes)
    """

    display_name: str
    metadata: (
        Annotated[ConversationMetadata, InstanceSchema(_set_fields)] | ConversationMetadataParam
    )
    project_id: str | None
    idempotency_key: str


def path_segment(name: str, value: object) -> str:
    """The ID of a conversation, quoted as one segment of a path."""
    text = checked_conversation_id(name, value)
    if text in {".", ".."}:
        raise InvalidArgumentError(f"{name} is {text!r}, which is not an ID.")
    return quote(text, safe="")


def checked_conversation_id(name: str, value: object) -> str:
    """The ID of a conversation, from the ID itself or a `Conversation`."""
    if not isinstance(value, Conversation):
        if not isinstance(value, str):
            raise InvalidArgumentError(
                f"{name} must be a conversation or its ID, not {type_name(value)}."
            )
        return checked_id(name, value)
    if value.id is None:
        raise InvalidArgumentError(
            f"{name} is a conversation without an ID, because the service did not send one: pass "
            "the conversation as returned by list()."
        )
    return checked_id(name, value.id)


def checked_id(name: str, value: object) -> str:
    """An ID that isn't blank."""
    return _not_blank(name, value, advice="pass the ID that the API returned")


def checked_optional_id(name: str, value: object) -> str:
    """An ID that isn't blank, for an argument that can be omitted."""
    return _not_blank(name, value, advice="omit it, or pass an ID")


def _not_blank(name: str, value: object, *, advice: str) -> str:
    text = checked_string(name, value)
    if not text.strip():
        raise InvalidArgumentError(f"{name} is empty: {advice}.")
    return text


def type_name(value: object) -> str:
    """The type of an invalid value, with advice for a common mistake."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{name}: await it first" if hasattr(type(value), "__await__") else name


def not_none(name: str, value: object) -> None:
    """Check an argument that can be omitted but can't be None."""
    if value is None:
        raise InvalidArgumentError(
            f"{name} can't be None: omit it, or pass UNSET. If a value may be None, pass "
            f"{name}=UNSET if value is None else value."
        )


def checked_string(name: str, value: object) -> str:
    """A string that UTF-8 can encode. A member of an enum, for example, becomes a plain string."""
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a string, not {type_name(value)}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"{name} contains half of a surrogate pair, which is not text: decode the "
            "source with the right encoding, or replace the character."
        ) from None
    # str() of an enum's member is its name.
    return value if type(value) is str else str.__str__(value)


def checked_display_name(value: object) -> str:
    """A name that the API accepts."""
    not_none("display_name", value)
    text = checked_string("display_name", value)
    if len(text) > MAX_DISPLAY_NAME_LENGTH:
        raise InvalidArgumentError(
            f"display_name has {len(text)} characters; the API allows at most "
            f"{MAX_DISPLAY_NAME_LENGTH}: shorten it."
        )
    return text


def checked_metadata(value: object) -> dict[str, Any]:
    """Metadata under its wire names, from a dict or a ConversationMetadata."""
    not_none("metadata", value)
    extra: Mapping[str, Any] = {}
    if isinstance(value, ConversationMetadata):
        extra, fields = value.extra, _set_fields(value)
    else:
        fields = _metadata_fields(value)
    for name, field in fields.items():
        if name == "generating_title":
            if type(field) is not bool:
                raise InvalidArgumentError(
                    f"metadata: generating_title must be True or False, not {type_name(field)}."
                )
        elif name == "entity_id" and field is not None:
            checked_optional_id(f"metadata: {name}", field)
        elif field is not None:
            checked_string(f"metadata: {name}", field)
    return {**extra, **{_METADATA[name]: field for name, field in fields.items()}}


def _metadata_fields(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(
            f"metadata must be a dict or a ConversationMetadata, not {type_name(value)}."
        )
    fields: dict[Any, Any] = dict(cast("Mapping[object, object]", value))
    for key in fields:
        if key not in _METADATA:
            advice = _advice(key, _METADATA)
            raise InvalidArgumentError(f"metadata: unknown key {shown(key)}; {advice}")
    if fields.get("generating_title", UNSET) is None:
        raise InvalidArgumentError(
            "metadata: generating_title can't be null: omit it, or pass True or False."
        )
    return {name: field for name, field in fields.items() if field is not UNSET}


def _advice(key: object, known: Collection[str]) -> str:
    """The known key that an unknown one resembles, or all known keys if it resembles none."""
    lazy_import("difflib")
    from difflib import get_close_matches

    plain = {name.replace("_", ""): name for name in known}
    text = key if isinstance(key, str) else ""
    meant = get_close_matches(text.replace("_", "").lower(), plain, n=1)
    return f"did you mean {plain[meant[0]]!r}?" if meant else f"use {', '.join(known)}."


def checked_create_request(value: object) -> Mapping[str, Any]:
    """One request of `create_many`."""
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(
            f"A request must be a dict such as CreateRequest, not {type_name(value)}."
        )
    known = CreateRequest.__annotations__
    for key in cast("Mapping[object, Any]", value):
        if key not in known:
            advice = _advice(key, known)
            raise InvalidArgumentError(f"Unknown key {shown(key)}; {advice}")
    return cast("Mapping[str, Any]", value)


def checked_max_in_flight(value: object) -> int:
    """The maximum number of calls in flight."""
    if type(value) is not int or value < 1:
        raise InvalidArgumentError("max_in_flight must be a whole number, 1 or more.")
    return value


def checked_rate(value: object) -> float | None:
    """The maximum number of calls per second."""
    if value is None:
        return None
    is_number = type(value) in {int, float} and 0 < cast("float", value) < math.inf
    # The smallest numbers would mean an infinite pause after each call.
    if not is_number or 1 / cast("float", value) == math.inf:
        raise InvalidArgumentError("rate must be a number above 0, or None for no limit.")
    return cast("float", value)


def checked_metadata_update(value: object) -> dict[str, Any]:
    """The metadata to change, under its wire names; the model can't change."""
    changes = checked_metadata(value)
    if "model" in changes:
        raise InvalidArgumentError(
            "metadata: model can't be changed, only generating_title and entity_id."
        )
    return changes


def checked_limit(value: object) -> str:
    """The size of a page."""
    if type(value) is not int:
        raise InvalidArgumentError(
            f"limit must be a whole number from 1 to {MAX_PAGE_SIZE}, not {type_name(value)}."
        )
    if not 1 <= value <= MAX_PAGE_SIZE:
        raise InvalidArgumentError(
            f"limit is {shown(value)}, but must be from 1 to {MAX_PAGE_SIZE}: it is the size of a "
            "page, and iterating over the listing reads every page."
        )
    return str(value)


def checked_context(value: object) -> str:
    """The text that a name is generated from."""
    text = checked_string("context", value)
    if not text:
        raise InvalidArgumentError("context is empty: describe what the conversation is about.")
    return text


def checked_model(value: object) -> str:
    """The model that responds."""
    text = checked_string("model", value)
    provider, slash, model_id = text.partition("/")
    if not (provider and slash and model_id):
        raise InvalidArgumentError(
            "model must include its provider, as in 'openai/gpt-4o': provider/model_id."
        )
    return text


def checked_idempotency_key(value: object) -> str | None:
    """An `Idempotency-Key` from the caller; None for a random one."""
    if value is None:
        return None
    text = checked_string("idempotency_key", value)
    if not 1 <= len(text) <= 255 or not all("!" <= c <= "~" for c in text):  # noqa: PLR2004
        raise InvalidArgumentError(
            "idempotency_key must be 1 to 255 visible ASCII characters, such as a UUID."
        )
    return text
