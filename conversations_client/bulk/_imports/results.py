"""Writes the status of every row to a file."""

import os
from collections.abc import Iterable
from typing import Any, Final

from conversations_client.bulk._arguments import check_item, check_iterable
from conversations_client.bulk._files.atomic_file import atomic_file
from conversations_client.bulk._imports.entry import Entry, State
from conversations_client.bulk._text import json_line

_REQUIREMENT: Final = (
    "entries must be the entries of a journal, such as journal.entries(), or of parts, such as "
    "entries_of(parts)"
)


def write_results(entries: Iterable[Entry], path: str | os.PathLike[str]) -> None:
    """Write the status of every row as JSON Lines.

    Each line has `row`, `line` if it is known, `key` if the row has one, `status`, and `id` or
    `error`.

    Args:
        entries: The entries, such as `journal.entries()`, which are in row order.
        path: The file. An existing file is replaced.

    Raises:
        BulkError: The journal can't be read.
        InvalidArgumentError: `entries` is not an iterable of entries.
        OSError: The file can't be written.

    Example:
        with Journal("import.journal") as journal:
            import_file(client, "conversations.jsonl", journal)
            write_results(journal.entries(), "results.jsonl")
    """
    check_iterable(entries, _REQUIREMENT)
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for entry in entries:
            check_item(entry, Entry, _REQUIREMENT)
            file.write(json_line(_result(entry)))


def _result(entry: Entry) -> dict[str, Any]:
    key = {} if entry.key is None else {"key": entry.key}
    line = {} if entry.line is None else {"line": entry.line}
    detail = "id" if entry.state is State.CREATED else "error"
    return {
        "row": entry.number,
        **line,
        **key,
        "status": str(entry.state),
        detail: entry.detail or None,
    }
