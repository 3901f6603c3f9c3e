"""A row of a file as a request, and the key that it is known by. No I/O."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from attrs import frozen

from conversations_client import ConversationMetadataParam, CreateRequest, InvalidArgumentError

Fields: TypeAlias = Mapping[str, Any]

_REQUEST: Final = {"displayName": "display_name", "projectId": "project_id"}
_METADATA: Final = {
    "entityId": "entity_id",
    "generatingTitle": "generating_title",
    "model": "model",
}
# What an export has besides, of which the service makes its own.
_MADE_BY_THE_SERVICE: Final = frozenset(
    {"_id", "kind", "createdAt", "updatedAt", "createdById", "updatedById", "entityId"}
)


@frozen
class Unreadable:
    """A row that is none.

    Attributes:
        problem: Why, without what it holds.
    """

    problem: str


@frozen
class Row:
    """A row of a file.

    Attributes:
        number: Which one it is, from 1.
        content: Its fields by the API's names, or why it has none.
    """

    number: int
    content: Fields | Unreadable

    def digest(self) -> str:
        """What tells its content from any other: 32 hexadecimal digits."""
        content = self.content
        known = content.problem if isinstance(content, Unreadable) else dict(content)
        text = json.dumps(known, sort_keys=True, default=str)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

    def request(self, import_id: str) -> CreateRequest:
        """What to create, with a key that is the same whenever this import comes to this row.

        Raises:
            InvalidArgumentError: It can't be read, or has a field that can't be sent.
        """
        content = self.content
        if isinstance(content, Unreadable):
            raise InvalidArgumentError(f"The row is {content.problem}.")
        request: dict[str, Any] = {
            "idempotency_key": f"{import_id}-{self.number}-{self.digest()}",
        }
        for name, value in content.items():
            if name == "metadata":
                request["metadata"] = _metadata(value)
            elif name in _REQUEST:
                request[_REQUEST[name]] = value
            elif name not in _MADE_BY_THE_SERVICE:
                raise InvalidArgumentError(f"Unknown field {name!r}; a row has {_KNOWN}.")
        return cast("CreateRequest", request)


_KNOWN: Final = ", ".join([*_REQUEST, *(f"metadata.{name}" for name in _METADATA)])


def _metadata(value: object) -> ConversationMetadataParam:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"metadata must be an object, not {type(value).__name__}.")
    given = cast("Fields", value)
    for name in given:
        if name not in _METADATA:
            raise InvalidArgumentError(f"Unknown field 'metadata.{name}'; a row has {_KNOWN}.")
    renamed = {_METADATA[name]: found for name, found in given.items()}
    return cast("ConversationMetadataParam", renamed)


_BELOW: Final = "metadata."
_FLAGS: Final = {"true": True, "false": False}


def from_columns(columns: Fields) -> Fields:
    """The fields of a table's row: `metadata.model` is the model of its metadata.

    A cell that is empty or null is left out, for a table has a cell for every column; and so is
    metadata without anything in it.
    """
    given = {name: cell for name, cell in columns.items() if cell is not None and cell != ""}
    fields = {name: cell for name, cell in given.items() if not name.startswith(_BELOW)}
    metadata = {name.removeprefix(_BELOW): given[name] for name in given if name not in fields}
    whole = fields.get("metadata", {})
    if isinstance(whole, Mapping):
        there = cast("Fields", whole)
        metadata |= {name: value for name, value in there.items() if value is not None}
        fields["metadata"] = metadata
    title = metadata.get("generatingTitle")
    if isinstance(title, str):
        metadata["generatingTitle"] = _FLAGS.get(title.lower(), title)
    return {name: value for name, value in fields.items() if value != {}}


COLUMNS: Final[tuple[str, ...]] = (
    "_id",
    "kind",
    "displayName",
    "createdAt",
    "updatedAt",
    "createdById",
    "updatedById",
    "metadata.entityId",
    "metadata.generatingTitle",
    "metadata.model",
)


def to_columns(fields: Fields) -> dict[str, Any]:
    """A conversation as the row of a table, with a cell for each of `COLUMNS`."""
    metadata = cast("Fields", fields.get("metadata") or {})
    flat: dict[str, Any] = {**fields, **{_BELOW + name: value for name, value in metadata.items()}}
    return {column: flat.get(column) for column in COLUMNS}
