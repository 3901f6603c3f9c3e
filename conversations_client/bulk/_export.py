"""Conversations into a file, a few at a time."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

from conversations_client import Conversation, unstructure
from conversations_client.bulk._atomic_file import atomic_file
from conversations_client.bulk._format import Format, format_of, pyarrow
from conversations_client.bulk._rows import COLUMNS, Fields, to_columns

Write: TypeAlias = Callable[[Path, Iterable[Fields]], None]

_AT_ONCE: Final = 10_000  # rows of a group in a Parquet file


def export_file(
    conversations: Iterable[Conversation],
    path: str | os.PathLike[str],
    *,
    on_row: Callable[[Conversation], object] | None = None,
) -> int:
    """Write conversations to a file, which is there when all of them are.

    JSON Lines have all that the service says; CSV and Parquet have a column for each field that
    this version knows. Any of them can be imported.

    Args:
        conversations: What to write, such as `client.conversations.list()`.
        path: The file, which is replaced: JSON Lines, CSV or Parquet, by the end of its name.
        on_row: Is called with each of them.

    Returns:
        How many there are.

    Raises:
        BulkError: The file is of no known kind, or Parquet's extra isn't installed.
        OSError: It can't be written.
        ConversationsError: As the iteration does.
    """
    write = {Format.JSONL: _jsonl, Format.CSV: _csv, Format.PARQUET: _parquet}[format_of(path)]
    return _written(conversations, path, write, on_row or (lambda _: None))


def _written(
    conversations: Iterable[Conversation],
    path: str | os.PathLike[str],
    write: Write,
    tell: Callable[[Conversation], object],
) -> int:
    count = 0

    def rows() -> Iterator[Fields]:
        nonlocal count
        for conversation in conversations:
            count += 1
            yield unstructure(conversation)
            tell(conversation)

    with atomic_file(path) as part:
        write(part, rows())
    return count


def _jsonl(path: Path, rows: Iterable[Fields]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            # In ASCII, so that half a surrogate pair can be written too.
            file.write(f"{json.dumps(row)}\n")


def _csv(path: Path, rows: Iterable[Fields]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(map(_cells, rows))


def _cells(row: Fields) -> dict[str, Any]:
    flags = {True: "true", False: "false"}
    columns = to_columns(row)
    title = "metadata.generatingTitle"
    return {**columns, title: flags.get(columns[title])}


def _parquet(path: Path, rows: Iterable[Fields]) -> None:
    arrow, parquet = pyarrow()
    kinds = {"createdAt": arrow.float64(), "updatedAt": arrow.float64()}
    kinds["metadata.generatingTitle"] = arrow.bool_()
    schema = arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])
    columns = map(to_columns, rows)
    with parquet.ParquetWriter(path, schema) as file:
        while group := list(islice(columns, _AT_ONCE)):
            file.write_table(arrow.Table.from_pylist(group, schema=schema))
