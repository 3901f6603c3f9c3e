"""Maps the columns of a file to the fields of a conversation. No I/O."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Self

from attrs import field, frozen

from conversations_client import InvalidArgumentError
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.column_names import (
    FIELDS,
    about_spaces,
    check_types,
    is_index,
    mapping,
    quoted,
    similar_name,
    suggestion,
    with_similar,
)
from conversations_client.bulk._files.formats import SEPARATORS
from conversations_client.bulk._files.formulas import ESCAPED

METADATA: Final = "metadata"
# Field names from a different revision of the API. The current name takes precedence.
_ALIASES: Final = {"entityId": "metadata.entityId"}
# Fields of an exported conversation that can't be sent.
_SET_BY_THE_SERVICE: Final = frozenset(
    {"_id", "kind", "createdAt", "updatedAt", "createdById", "updatedById"}
)
_MESSAGES: Final = "messages"  # in an export; the API can't create messages
# Every conversation that the service sends has these, so a row with all of them is from an export.
_EXPORTED: Final = frozenset({"kind", "displayName", "createdAt", "updatedAt"})
_MAX_NAMED: Final = 5  # columns in an error message


@frozen
class Columns:
    """The field of each column, and the columns that are not sent.

    Attributes:
        fields: The field of each column whose name differs from the field's.
        key: The column that is copied into the results; None if there is none.
        ignore: The columns to ignore.
    """

    fields: Mapping[str, str] = field(factory=dict[str, str])
    key: str | None = None
    ignore: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        columns: Mapping[str, str] | None = None,
        key: str | None = None,
        ignore: Collection[str] = (),
    ) -> Self:
        """Check the caller's arguments.

        Args:
            columns: The column for each field whose column has a different name.
            key: The column to copy into the results.
            ignore: Columns to ignore.

        Raises:
            InvalidArgumentError: A field doesn't exist, one column is used for two fields, or an
                argument has the wrong type.
        """
        check_types(columns, key, ignore)
        column_of = dict(columns or {})
        for name, column in column_of.items():
            if name not in FIELDS and column in FIELDS:
                raise InvalidArgumentError(
                    f"There is no field {quoted(name)}. The field comes first: use "
                    f"columns={{{column!r}: {quoted(name)}}}."
                )
            if name not in FIELDS:
                raise InvalidArgumentError(
                    f"There is no field {quoted(name)}{suggestion(name, FIELDS)} "
                    f"The fields are {', '.join(FIELDS)}."
                )
        for column, count in Counter(column_of.values()).items():
            if count > 1:
                raise InvalidArgumentError(f"The column {quoted(column)} is used for two fields.")
        fields = {column: name for name, column in column_of.items()}
        return cls(fields=fields, key=key, ignore=frozenset(ignore))

    def is_known(self, column: str) -> bool:
        """Whether a file may have this column."""
        return self.is_named(column) or self._is_in_ignored_metadata(column)

    def is_named(self, column: str) -> bool:
        """Whether a file may have this column, not counting the fields of ignored metadata."""
        return (
            column in self.fields
            or column in FIELDS
            or column in _ALIASES
            or column in _SET_BY_THE_SERVICE
            or column == ESCAPED
            or column in self.ignore
            or column == self.key
        )

    def identifies_separator(self, column: str) -> bool:
        """Whether a column shows that the separator of a header is right."""
        has_separator = not SEPARATORS.keys().isdisjoint(column)
        return self.is_named(column) or (self.is_known(column) and not has_separator)

    def is_ignored(self, column: str) -> bool:
        """Whether the caller ignores a column. Ignoring `metadata` ignores all its fields."""
        return column in self.ignore or self._is_in_ignored_metadata(column)

    def _is_in_ignored_metadata(self, column: str) -> bool:
        return METADATA in self.ignore and column.startswith(f"{METADATA}.")

    def target(self, column: str) -> str | None:
        """The field for a column; None if the column is not sent."""
        if column in self.fields:
            return self.fields[column]
        if self.is_ignored(column):
            return None
        return column if column in FIELDS else _ALIASES.get(column)

    def is_alias(self, column: str) -> bool:
        """Whether a column is sent only if no other column has a value for its field."""
        return column in _ALIASES and column not in self.fields

    def has_content(self, column: str) -> bool:
        """Whether a value in this column makes a row non-empty."""
        if self.target(column) is not None:
            return True
        return column in _SET_BY_THE_SERVICE and not self.is_ignored(column)

    def unknown_column_message(self, column: str, names: Iterable[str] = ()) -> str:
        """The error message for an unknown column.

        Args:
            column: The column.
            names: All columns of the table or row.
        """
        name, free = quoted(column), self._free_fields(names)
        if is_index(column):
            end = "" if column else " If the header ends with a separator, remove the separator."
            return (
                f"The column {name} is not a field. If pandas wrote it as the index, write the "
                f"file with index=False, or ignore the column with ignore=[{name}].{end}"
            )
        mapped = mapping(column, free)
        return (
            f"Unknown field {name}{suggestion(column, free)} The fields are {', '.join(FIELDS)}. "
            f"Rename the column, {f'map it with {mapped}, ' if mapped else ''}or ignore it with "
            f"ignore=[{name}]."
        )

    def unknown_columns_message(self, columns: Sequence[str], names: Iterable[str]) -> str:
        """The error message for all unknown columns of a file; there is at least one.

        Args:
            columns: The unknown columns.
            names: All columns.
        """
        if len(columns) == 1:
            return self.unknown_column_message(columns[0], names)
        free = self._free_fields(names)
        named = ", ".join(with_similar(column, free) for column in columns[:_MAX_NAMED])
        more = f" and {len(columns) - _MAX_NAMED} more" if len(columns) > _MAX_NAMED else ""
        index = next(filter(is_index, columns), None)
        pandas = (
            ""
            if index is None
            else f" If pandas wrote {quoted(index)} as the index, write the file with index=False."
        )
        # An example that maps an index would be misleading.
        example = max(
            columns, key=lambda each: (bool(similar_name(each, free)), not is_index(each))
        )
        mapped = mapping(example, free)
        spaces = about_spaces(*(each for each in columns if similar_name(each, free)))
        return (
            f"Unknown fields: {named}{more}. The fields are {', '.join(FIELDS)}. Rename the "
            f"columns, {f'map them, for example with {mapped}, ' if mapped else ''}or ignore them, "
            f"for example with ignore=[{quoted(columns[0])}].{spaces}{pandas}"
        )

    def _free_fields(self, names: Iterable[str]) -> list[str]:
        """The fields that have no column."""
        taken = {*self.fields.values(), *map(self.target, names)}
        return [name for name in FIELDS if name not in taken]

    def check_names(self, names: Sequence[str]) -> None:
        """Check all columns of a table; raises BulkError."""
        check = NameCheck(self)
        check.add(name for name in names if name != _MESSAGES or not is_exported(names))
        self._check_ignored(names)
        check.finish()
        sent = Counter(
            target for name in names if (target := self.target(name)) and not self.is_alias(name)
        )
        for name, count in Counter(names).items():
            if count > 1 and (name == self.key or name not in self.ignore):
                raise BulkError(f"There are two columns named {quoted(name)}. Remove one of them.")
        for target, count in sent.items():
            if count > 1:
                raise BulkError(f"Two columns map to {target}. Ignore one of them.")
        if names and not any(map(self.target, names)):
            raise BulkError(
                f"No column matches a field. The fields are {', '.join(FIELDS)}. Rename a column, "
                "or map it to a field."
            )

    def _check_ignored(self, names: Sequence[str]) -> None:
        """Check that a table has all columns to ignore; raises BulkError."""
        has_metadata = any(name.startswith(f"{METADATA}.") for name in names)
        for name in sorted(self.ignore.difference(names, {METADATA} if has_metadata else ())):
            raise BulkError(f"There is no column {quoted(name)} to ignore{suggestion(name, names)}")


class NameCheck:
    """Finds unknown names that all rows have, and mapped columns that no row has.

    An unknown name that only some rows have is an error in those rows.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._seen: dict[str, None] = {}
        self._unknown: list[str] | None = None
        self._missing = [*columns.fields, *([] if columns.key is None else [columns.key])]

    def add(self, names: Iterable[str], *, allows_unknown: bool = False) -> bool:
        """Add the names of a row; returns whether more rows can change the result."""
        row = dict.fromkeys(names)
        self._seen |= row
        candidates: Collection[str] = row if self._unknown is None else self._unknown
        if allows_unknown:
            candidates = ()
        self._unknown = [
            name for name in candidates if name in row and not self._columns.is_known(name)
        ]
        self._missing = [name for name in self._missing if name not in row]
        return bool(self._unknown or self._missing)

    def finish(self) -> None:
        """Raise BulkError for the first missing name, or else for the unknown names."""
        if self._unknown is None:
            return
        # A missing name may be a misspelling of an unknown one.
        for name in self._missing:
            raise BulkError(f"There is no column {quoted(name)}{suggestion(name, self._seen)}")
        if self._unknown:
            raise BulkError(self._columns.unknown_columns_message(self._unknown, self._seen))


def is_exported(names: Collection[str]) -> bool:
    """Whether a row with these names comes from an export.

    Its unknown fields come from a later revision of the API and are not typos.
    """
    return all(name in names for name in _EXPORTED)
