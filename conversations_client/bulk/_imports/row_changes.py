"""Checks that rows that may have been imported are still in the file."""

from collections.abc import Iterable
from typing import Final

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.rows import Row
from conversations_client.bulk._imports.entry import Entry, State

_ADVICE: Final = (
    "Rows are identified by their position: restore the file and add new rows at the end, or "
    "import the new file with a new journal; every row is then imported again."
)
_LINE_BREAKS: Final = ("\n", "\r\n")


def check_unchanged(row: Row, entry: Entry) -> None:
    """Raise BulkError if a row that may have been imported has changed."""
    if entry.state is not State.FAILED and entry.digest != row.digest():
        cause = ", or an earlier row was removed or inserted"
        if entry.digest in (row.digest(line_break=each) for each in _LINE_BREAKS):
            cause = (
                ": only the line breaks in its cells (LF or CRLF) differ, probably because another "
                "program saved the file"
            )
        raise BulkError(f"Row {row.number} has changed since {_past(entry)}{cause}. {_ADVICE}")


def check_none_removed(entries: Iterable[Entry], rows: int) -> None:
    """Raise BulkError if a row that may have been imported is no longer in the file.

    Args:
        entries: The entries after the last row of the file.
        rows: The number of rows in the file.
    """
    for entry in entries:
        if entry.state is not State.FAILED:
            raise BulkError(
                f"Row {entry.number:,} was in the file when {_past(entry)}, but the file now has "
                f"only {rows:,} row{'s' * (rows != 1)}. {_ADVICE}"
            )


def _past(entry: Entry) -> str:
    return "it was imported" if entry.state is State.CREATED else "it was sent"
