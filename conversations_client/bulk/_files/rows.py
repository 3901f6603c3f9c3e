"""Converts the row of a file to a request with an idempotency key. No I/O."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

from attrs import field, frozen

from conversations_client import ConversationMetadataParam, CreateRequest, InvalidArgumentError
from conversations_client.bulk._files.column_names import quoted
from conversations_client.bulk._files.columns import METADATA, Columns, is_exported
from conversations_client.bulk._files.row_errors import in_file_terms, type_name

Fields: TypeAlias = Mapping[str, Any]
Key: TypeAlias = str | int | float | bool | None
"""The cell of a key column, which is copied into the results."""

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
        problem: A sentence with the reason. It contains none of the row's values, except for the
            text of an invalid boolean.
    """

    problem: str


@frozen
class Row:
    """A row of a file.

    Attributes:
        number: Its number, starting at 1.
        content: The fields to send, under the API's names, or why the row can't be read.
        key: Its cell in the key column.
        line: The line on which it starts; the first line is 1. None if unknown.
        columns: The column of each field whose column has a different name.
    """

    number: int
    content: Fields | Unreadable
    key: Key = None
    line: int | None = field(default=None, eq=False)
    columns: Mapping[str, str] = field(factory=dict[str, str], eq=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether the row has no field to send and nothing else is wrong with it."""
        return self.content is EMPTY

    def describe(self, error: InvalidArgumentError) -> str:
        """An error in the row's request, in the terms of the file."""
        return in_file_terms(str(error), self.columns)

    def digest(self, *, line_break: str | None = None) -> str:
        """A digest of the content, 32 hexadecimal digits.

        Args:
            line_break: The line break to use in the cells. Default: the file's line breaks.
        """
        content = self.content
        value = content.problem if isinstance(content, Unreadable) else dict(content)
        text = json.dumps(value, sort_keys=True, default=str)
        if line_break is not None:
            text = text.replace(r"\r\n", r"\n").replace(r"\n", json.dumps(line_break)[1:-1])
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
        raise InvalidArgumentError(f"metadata must be an object, not {type_name(value)}.")
    fields = cast("Fields", value)
    arguments = {
        _METADATA_ARGUMENTS[name]: _single(f"metadata.{name}", cell)
        for name, cell in fields.items()
    }
    return cast("ConversationMetadataParam", arguments)


def _single(name: str, value: object) -> object:
    kind = type_name(value)
    # This also avoids computing the digest of a deeply nested value.
    if isinstance(value, list | tuple | Mapping):
        raise InvalidArgumentError(f"{name} must be a single value, not {kind}.")
    return value


def from_object(cells: Fields, columns: Columns) -> Fields | Unreadable:
    """The fields of a JSON object. A null is preserved, because it differs from an absent field.

    An empty object creates a conversation with the service's defaults. An object with only
    ignored fields or fields that the service sets is an empty row.
    """
    try:
        fields = _fields(cells, columns)
    except InvalidArgumentError as error:
        return Unreadable(str(error))
    # If the metadata has only ignored fields, the row doesn't ask for a conversation either.
    is_ignored = fields == {METADATA: {}} and cells.get(METADATA) != {}
    return EMPTY if cells and (is_ignored or not fields) else fields


def from_csv(cells: Mapping[str, str], columns: Columns) -> Fields | Unreadable:
    """The fields of a CSV record.

    CSV can't distinguish an empty value from an absent one. Only a display name may be empty, so an
    empty cell is an empty display name in that column and an absent value in the others.
    """
    if not any(cell for name, cell in cells.items() if columns.has_content(name)):
        return EMPTY
    present = {
        name: cell for name, cell in cells.items() if cell or columns.target(name) == "displayName"
    }
    return _with_boolean(from_object(present, columns), columns)


def from_table(cells: Fields, columns: Columns) -> Fields | Unreadable:
    """The fields of a row in a typed table, where null means absent, and empty text is a value."""
    present = {name: cell for name, cell in cells.items() if cell is not None}
    return _with_boolean(from_object(present, columns), columns) if present else EMPTY


def key_of(cell: object) -> Key | Unreadable:
    """The cell of a key column as a JSON value."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if cell is None or isinstance(cell, str | int | float):
        return cell
    if isinstance(cell, date | time | timedelta | Decimal | UUID):
        return str(cell)
    return Unreadable(f"The key must be a single value, not {type_name(cell)}.")


def names_of(cells: Fields) -> Iterator[str]:
    """The names in a JSON object; a name in its metadata has the form `metadata.model`."""
    for name, value in cells.items():
        if name == METADATA and isinstance(value, Mapping):
            inner = cast("Fields", value)
            yield from (f"{METADATA}.{each}" for each in inner)
        elif name != METADATA:
            yield name


def cell_of(cells: Fields, name: str) -> object:
    """The cell of a column, which may be nested in the metadata; None if there is none."""
    metadata = cells.get(METADATA)
    if name in cells or not (name.startswith(_METADATA_PREFIX) and isinstance(metadata, Mapping)):
        return cells.get(name)
    return cast("Fields", metadata).get(name.removeprefix(_METADATA_PREFIX))


# The row may have a key or values in ignored columns.
EMPTY: Final = Unreadable("The row has no values to import. Leave it, or fill in a field.")
EMPTY_AT_THE_END: Final = (
    "The row has no values to import. Leave it, fill in a field, or remove all such rows at the "
    "end of the file."
)
"""The problem with an empty row that is followed only by empty rows."""
_METADATA_PREFIX: Final = f"{METADATA}."
_BOOLEANS: Final = {"true": True, "false": False}
_GENERATING_TITLE: Final = "generatingTitle"
_ENTITY: Final = "metadata.entityId"


def _fields(cells: Fields, columns: Columns) -> Fields:
    fields: dict[str, Any] = {}
    skips_unknown = is_exported(cells)
    # Aliases come last, because the other columns take precedence.
    for name, value in sorted(cells.items(), key=lambda cell: columns.is_alias(cell[0])):
        if name != METADATA or METADATA in columns.fields:
            inner = {name: value}
        elif not isinstance(value, Mapping):
            if not columns.is_ignored(METADATA):
                fields[METADATA] = value
            continue
        else:
            if not columns.is_ignored(METADATA):
                fields.setdefault(METADATA, {})
            metadata = cast("Fields", value)
            inner = {_METADATA_PREFIX + each: cell for each, cell in metadata.items()}
        for column, cell in inner.items():
            if columns.is_known(column):
                _set_field(fields, column, cell, columns)
            elif not skips_unknown:
                raise InvalidArgumentError(columns.unknown_column_message(column, cells))
    return fields


def _set_field(fields: dict[str, Any], column: str, value: object, columns: Columns) -> None:
    target, is_alias = columns.target(column), columns.is_alias(column)
    if target is None or (is_alias and value is None):
        return
    parent: object = fields
    name = target
    if target.startswith(_METADATA_PREFIX):
        parent, name = fields.setdefault(METADATA, {}), target.removeprefix(_METADATA_PREFIX)
    if not isinstance(parent, dict) or (name in parent and not is_alias):
        raise InvalidArgumentError(
            f"Two columns of the row map to {quoted(target)}. Ignore one of them."
        )
    siblings = cast("dict[str, Any]", parent)
    if siblings.get(name) is None:
        siblings[name] = value


def _with_boolean(fields: Fields | Unreadable, columns: Columns) -> Fields | Unreadable:
    """The fields with `generatingTitle` as a boolean where a table has text."""
    if isinstance(fields, Unreadable):
        return fields
    value: object = fields.get(METADATA)
    if not isinstance(value, Mapping):
        return fields
    metadata = dict(cast("Fields", value))
    cell = metadata.get(_GENERATING_TITLE)
    if isinstance(cell, str):
        boolean = _BOOLEANS.get(cell.lower())
        if boolean is None:
            # In a table, any text could be the value, so its type is not what is wrong.
            field_name = _METADATA_PREFIX + _GENERATING_TITLE
            names = (name for name, mapped in columns.fields.items() if mapped == field_name)
            column = next(names, field_name)
            return Unreadable(f"{column} must be true or false, not {quoted(cell)}.")
        metadata[_GENERATING_TITLE] = boolean
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
    """The conversation's value for each of `COLUMNS`."""
    metadata = cast("Fields", fields.get(METADATA) or {})
    flat: dict[str, Any] = {
        **fields,
        **{_METADATA_PREFIX + name: value for name, value in metadata.items()},
    }
    if flat.get(_ENTITY) is None:
        flat[_ENTITY] = fields.get("entityId")  # its name in the first revision of the API
    return {column: flat.get(column) for column in COLUMNS}
