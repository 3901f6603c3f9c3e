"""Decides which column of a file is which field of a conversation. No I/O."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, Self

from attrs import field, frozen

from conversations_client import InvalidArgumentError
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.formulas import ESCAPED

FIELDS: Final = (
    "displayName",
    "projectId",
    "metadata.entityId",
    "metadata.generatingTitle",
    "metadata.model",
)
"""The fields that can be sent, by the API's names."""
METADATA: Final = "metadata"
# Where another revision of the service has a field. The field itself has priority.
_ALIASES: Final = {"entityId": "metadata.entityId"}
# Fields of an exported conversation that the service sets itself.
_SET_BY_THE_SERVICE: Final = frozenset(
    {"_id", "kind", "createdAt", "updatedAt", "createdById", "updatedById"}
)
_MESSAGES: Final = "messages"  # of an export; they can't be created
# Every conversation of the service has these, so a row with them comes from an export.
_EXPORTED: Final = frozenset({"kind", "displayName", "createdAt", "updatedAt"})
_LONGEST_NAME: Final = 60  # characters of a column's name in a message
# So that "name" is taken for displayName, and "title" not for generatingTitle.
_SIMILAR: Final = 0.52
_INDEXES: Final = ("Unnamed: ", "__index_level_")  # what pandas calls an index
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@frozen
class Columns:
    """Which column is which field, and which columns are not sent.

    Attributes:
        fields: The field of each column that has another name.
        key: The column that is copied into the results; None for none.
        ignore: The columns that are not read.
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
        """Check what a caller passes.

        Args:
            columns: The column of each field whose column has another name.
            key: The column to copy into the results.
            ignore: Columns that are not read.

        Raises:
            InvalidArgumentError: There is no such field, or one column is used for two fields.
        """
        if isinstance(ignore, str):
            raise InvalidArgumentError("ignore must be a list of columns, not a string.")
        chosen = dict(columns or {})
        for name in chosen:
            if name not in FIELDS:
                raise InvalidArgumentError(
                    f"There is no field {quoted(name)}{_nearest(name, FIELDS)} "
                    f"A row has {', '.join(FIELDS)}."
                )
        for column, count in Counter(chosen.values()).items():
            if count > 1:
                raise InvalidArgumentError(f"The column {quoted(column)} is used for two fields.")
        renamed = {column: name for name, column in chosen.items()}
        return cls(fields=renamed, key=key, ignore=frozenset(ignore))

    def is_known(self, column: str) -> bool:
        """Whether a column may be there."""
        return (
            column in self.fields
            or column in FIELDS
            or column in _ALIASES
            or column in _SET_BY_THE_SERVICE
            or column == ESCAPED
            or column in self.ignore
            or column == self.key
            or (METADATA in self.ignore and column.startswith(f"{METADATA}."))
        )

    def target(self, column: str) -> str | None:
        """The field that a column is sent as; None if it is not sent."""
        if column in self.fields:
            return self.fields[column]
        if column in self.ignore:
            return None
        return column if column in FIELDS else _ALIASES.get(column)

    def is_alias(self, column: str) -> bool:
        """Whether a column is sent only if another one has no value for its field."""
        return column in _ALIASES and column not in self.fields

    def has_content(self, column: str) -> bool:
        """Whether a cell of this column makes its row more than an empty one."""
        if column in self.ignore:
            return False
        return self.target(column) is not None or column in _SET_BY_THE_SERVICE

    def unknown(self, column: str) -> str:
        """What is wrong with a column that is not known."""
        name = quoted(column)
        if not column or column.startswith(_INDEXES):
            return (
                f"The column {name} is not a field. If it is the index that pandas writes, write "
                "the file with index=False, or ignore the column."
            )
        for separator, plural in _SEPARATORS.items():
            if separator in column and any(part in FIELDS for part in column.split(separator)):
                return f"The columns are separated by {plural}: separate them with commas."
        return (
            f"Unknown field {name}{_nearest(column, FIELDS)} A row has {', '.join(FIELDS)}. "
            "Rename the column, map it to a field, or ignore it."
        )

    def check_names(self, names: Sequence[str]) -> None:
        """Check all columns of a table; raises BulkError."""
        check = NameCheck(self)
        check.add(name for name in names if name != _MESSAGES or not is_exported(names))
        check.finish()
        sent = Counter(
            target for name in names if (target := self.target(name)) and not self.is_alias(name)
        )
        for name, count in Counter(names).items():
            if count > 1 and name not in self.ignore:
                raise BulkError(f"The column {quoted(name)} is there twice: remove one of them.")
        for target, count in sent.items():
            if count > 1:
                raise BulkError(f"Two columns are {target}: ignore one of them.")
        if names and not any(map(self.target, names)):
            raise BulkError(
                f"No column can be sent. A row has {', '.join(FIELDS)}. "
                "Rename a column, or map one to a field."
            )


class NameCheck:
    """Finds names that no row can have, and columns that no row has.

    A name that only some rows have is a fault of those rows.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._found: dict[str, None] = {}
        self._unknown: list[str] | None = None
        self._missing = [*columns.fields, *([] if columns.key is None else [columns.key])]

    def add(self, names: Iterable[str], *, allows_unknown: bool = False) -> bool:
        """Add the names of a row; returns whether more rows could change the result."""
        row = dict.fromkeys(names)
        self._found |= row
        candidates: Collection[str] = row if self._unknown is None else self._unknown
        if allows_unknown:
            candidates = ()
        self._unknown = [
            name for name in candidates if name in row and not self._columns.is_known(name)
        ]
        self._missing = [name for name in self._missing if name not in row]
        return bool(self._unknown or self._missing)

    def finish(self) -> None:
        """Raise BulkError for the first name that is wrong."""
        for name in self._unknown or ():
            raise BulkError(self._columns.unknown(name))
        if self._unknown is not None:
            for name in self._missing:
                raise BulkError(f"There is no column {quoted(name)}{_nearest(name, self._found)}")


def is_exported(names: Collection[str]) -> bool:
    """Whether a row with these names comes from an export.

    Its unknown fields are those that a later revision of the service sets, not typing errors.
    """
    return all(name in names for name in _EXPORTED)


def quoted(name: str) -> str:
    """A name for a message: quoted, and cut if it is long."""
    return repr(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…")


def _nearest(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: a similar one, if there is one."""
    known = {_plain(each): each for each in names}
    found = get_close_matches(_plain(name), known, n=1, cutoff=_SIMILAR)
    return f": did you mean {known[found[0]]!r}?" if found else "."


def _plain(name: str) -> str:
    return name.rpartition(".")[2].lower().replace("_", "").replace(" ", "")
