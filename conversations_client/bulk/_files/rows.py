"""A row of a file as a request, with its digest and idempotency key. No I/O."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

from attrs import frozen

from conversations_client import ConversationMetadataParam, CreateRequest, InvalidArgumentError
from conversations_client.bulk._files.columns import METADATA, Columns, is_exported, quoted

Fields: TypeAlias = Mapping[str, Any]
Key: TypeAlias = str | int | float | bool | None
"""A cell of the caller's own that is copied into the results."""

_ARGUMENTS: Final = {"displayName": "display_name", "projectId": "project_id"}
_METADATA_ARGUMENTS: Final = {
    "entityId": "entity_id",
    "generatingTitle": "generating_title",
    "model": "model",
}


@frozen
class Unreadable:
    """The content of a row that can't be read.

    Attributes:
        problem: A sentence that says why, without the row's values.
    """

    problem: str


@frozen
class Row:
    """A row of a file.

    Attributes:
        number: Its number, from 1.
        content: The fields to send, by the API's names, or why it can't be read.
        key: Its cell of the key column.
    """

    number: int
    content: Fields | Unreadable
    key: Key = None

    def digest(self) -> str:
        """32 hexadecimal digits that differ where the content differs."""
        content = self.content
        value = content.problem if isinstance(content, Unreadable) else dict(content)
        text = json.dumps(value, sort_keys=True, default=str)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]

    def request(self, import_id: str) -> CreateRequest:
        """The request to send, with the same idempotency key in every run of the import.

        Raises:
            InvalidArgumentError: The row can't be read, or has a value that can't be sent.
        """
        content = self.content
        if isinstance(content, Unreadable):
            raise InvalidArgumentError(content.problem)
        request: dict[str, Any] = {}
        for name, value in content.items():
            if name == METADATA:
                request[METADATA] = _metadata(value)
            else:
                request[_ARGUMENTS[name]] = _single(name, value)
        request["idempotency_key"] = f"{import_id}-{self.number}-{self.digest()}"
        return cast("CreateRequest", request)


def _metadata(value: object) -> ConversationMetadataParam:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"metadata must be an object, not {type(value).__name__}.")
    fields = cast("Fields", value)
    arguments = {
        _METADATA_ARGUMENTS[name]: _single(f"metadata.{name}", found)
        for name, found in fields.items()
    }
    return cast("ConversationMetadataParam", arguments)


def _single(name: str, value: object) -> object:
    kind = type(value).__name__
    # Also so that no digest walks through deep nesting.
    if isinstance(value, list | tuple | Mapping):
        raise InvalidArgumentError(f"{name} must be a single value, not {kind}.")
    return value


def from_object(cells: Fields, columns: Columns) -> Fields | Unreadable:
    """The fields of a JSON object. Null is kept: it is not the same as absent.

    An empty object asks for a conversation with the service's defaults. One whose fields are all
    ignored or set by the service does not.
    """
    try:
        fields = _fields(cells, columns)
    except InvalidArgumentError as error:
        return Unreadable(str(error))
    return _EMPTY if cells and not fields else fields


def from_csv(cells: Mapping[str, str], columns: Columns) -> Fields | Unreadable:
    """The fields of a CSV record.

    CSV can't distinguish an empty cell from an absent one. Only a name may be empty, so an empty
    cell is an empty name in that column and absent in the others.
    """
    if not any(cell for name, cell in cells.items() if columns.has_content(name)):
        return _EMPTY
    there = {
        name: cell for name, cell in cells.items() if cell or columns.target(name) == "displayName"
    }
    return _with_flag(from_object(there, columns))


def from_table(cells: Fields, columns: Columns) -> Fields | Unreadable:
    """The fields of a row of a typed table, where null is absent, and an empty text is a text."""
    there = _without_nulls(cells)
    if isinstance(there.get(METADATA), Mapping):
        there[METADATA] = _without_nulls(there[METADATA])
        if not there[METADATA]:
            del there[METADATA]
    return _with_flag(from_object(there, columns)) if there else _EMPTY


def _without_nulls(cells: Fields) -> dict[str, Any]:
    return {name: cell for name, cell in cells.items() if cell is not None}


def key_of(cell: object) -> Key | Unreadable:
    """The cell of a key column, as JSON can hold it."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if cell is None or isinstance(cell, str | int | float):
        return cell
    if isinstance(cell, date | time | timedelta | Decimal):
        return str(cell)
    return Unreadable(f"The key must be a single value, not {type(cell).__name__}.")


def names_of(cells: Fields) -> Iterator[str]:
    """The names in a JSON object, with those inside its metadata as `metadata.model`."""
    for name, value in cells.items():
        if name == METADATA and isinstance(value, Mapping):
            inner = cast("Fields", value)
            yield from (f"{METADATA}.{each}" for each in inner)
        elif name != METADATA:
            yield name


_EMPTY: Final = Unreadable("The row is empty: remove it, or fill in a field.")
_INSIDE: Final = f"{METADATA}."
_FLAGS: Final = {"true": True, "false": False}
_FLAG: Final = "generatingTitle"
_ENTITY: Final = "metadata.entityId"


def _fields(cells: Fields, columns: Columns) -> Fields:
    fields: dict[str, Any] = {}
    skips_unknown = is_exported(cells)
    # Aliases come last, when the other columns have their values.
    for name, value in sorted(cells.items(), key=lambda cell: columns.is_alias(cell[0])):
        if name != METADATA or METADATA in columns.fields or METADATA in columns.ignore:
            inner = {name: value}
        elif not isinstance(value, Mapping):
            fields[METADATA] = value
            continue
        else:
            fields.setdefault(METADATA, {})
            inner = {_INSIDE + each: found for each, found in cast("Fields", value).items()}
        for column, found in inner.items():
            if columns.is_known(column):
                _put(fields, column, found, columns)
            elif not skips_unknown:
                raise InvalidArgumentError(columns.unknown(column))
    return fields


def _put(fields: dict[str, Any], column: str, value: object, columns: Columns) -> None:
    target, is_alias = columns.target(column), columns.is_alias(column)
    if target is None or (is_alias and value is None):
        return
    place: object = fields
    name = target
    if target.startswith(_INSIDE):
        place, name = fields.setdefault(METADATA, {}), target.removeprefix(_INSIDE)
    if not isinstance(place, dict) or (name in place and not is_alias):
        raise InvalidArgumentError(f"Two columns of the row are {quoted(target)}: ignore one.")
    known = cast("dict[str, Any]", place)
    if known.get(name) is None:
        known[name] = value


def _with_flag(fields: Fields | Unreadable) -> Fields | Unreadable:
    """The same fields, with a flag where a table has a text."""
    if isinstance(fields, Unreadable):
        return fields
    found: object = fields.get(METADATA)
    if not isinstance(found, Mapping):
        return fields
    metadata = dict(cast("Fields", found))
    title = metadata.get(_FLAG)
    if isinstance(title, str):
        metadata[_FLAG] = _FLAGS.get(title.lower(), title)
    return {**fields, METADATA: metadata}


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
"""The columns of an exported table."""


def to_columns(fields: Fields) -> dict[str, Any]:
    """A conversation as the row of a table, with a cell for each of `COLUMNS`."""
    metadata = cast("Fields", fields.get(METADATA) or {})
    flat: dict[str, Any] = {**fields, **{_INSIDE + name: value for name, value in metadata.items()}}
    if flat.get(_ENTITY) is None:
        flat[_ENTITY] = fields.get("entityId")  # where the first revision has it
    return {column: flat.get(column) for column in COLUMNS}
