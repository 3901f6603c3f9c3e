"""Writes JSON Lines, CSV and Parquet, with few rows in memory at a time."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.formats import Format, pyarrow
from conversations_client.bulk._files.formulas import ESCAPED, escape_formulas
from conversations_client.bulk._files.rows import COLUMNS, Fields, to_columns
from conversations_client.bulk._text import json_line, without_surrogates

_MAX_ROWS: Final = 10_000  # per row group of a Parquet file
_MAX_BYTES: Final = 8_000_000  # of messages per row group, roughly
_MESSAGE_BYTES: Final = 1_000  # in memory, per message without its parts
_MESSAGE_FIELDS: Final = ("_id", "conversationId", "createdAt", "createdById", "role")


class Write(Protocol):
    """Writes rows to a file."""

    def __call__(self, path: Path, rows: Iterable[Fields], /) -> None:
        """Write all rows; raises OSError."""
        ...


def writer(file_format: Format, *, messages: bool = False, escape: bool = False) -> Write:
    """The function that writes a file format.

    Args:
        file_format: The format.
        messages: Whether the rows have messages.
        escape: Whether to escape text that starts like a formula.

    Raises:
        BulkError: The format doesn't support the options, or the extra for Parquet isn't installed.
    """
    if escape and file_format is not Format.CSV:
        raise BulkError("Formulas can be escaped only in CSV. Choose a file that ends in .csv.")
    if file_format is Format.CSV and messages:
        raise BulkError(
            "CSV can't store messages. Export them to a file that ends in .jsonl or .parquet."
        )
    if file_format is Format.CSV:
        return _csv_for_spreadsheets if escape else _csv
    if file_format is Format.PARQUET:
        pyarrow()  # fails before the export instead of after it
        return _parquet_with_messages if messages else _parquet
    return _jsonl


def _jsonl(path: Path, rows: Iterable[Fields]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(map(json_line, rows))


def _csv(path: Path, rows: Iterable[Fields]) -> None:
    _write_csv(path, COLUMNS, map(_cells, rows))


def _csv_for_spreadsheets(path: Path, rows: Iterable[Fields]) -> None:
    _write_csv(path, (*COLUMNS, ESCAPED), map(escape_formulas, map(_cells, rows)))


def _write_csv(path: Path, columns: Iterable[str], rows: Iterable[Fields]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        output = csv.DictWriter(file, tuple(columns))
        output.writeheader()
        output.writerows(rows)


def _cells(row: Fields) -> dict[str, Any]:
    flags = {True: "true", False: "false"}
    columns = to_columns(row)
    title = "metadata.generatingTitle"
    return {**columns, title: flags.get(columns[title])}


def _parquet(path: Path, rows: Iterable[Fields]) -> None:
    _write_parquet(path, _columns_schema(), map(_text_columns, rows))


def _parquet_with_messages(path: Path, rows: Iterable[Fields]) -> None:
    schema = _columns_schema().append(pyarrow()[0].field("messages", _messages_type()))
    with_messages = (
        {**_text_columns(row), "messages": _messages(row.get("messages"))} for row in rows
    )
    _write_parquet(path, schema, with_messages)


def _write_parquet(path: Path, schema: Any, rows: Iterable[Fields]) -> None:  # noqa: ANN401 - pyarrow has no types
    arrow, parquet = pyarrow()
    with path.open("wb") as file:
        # Not the path, because pyarrow seeks in a file that it opens, and a pipe isn't seekable.
        sink = arrow.PythonFile(file, mode="w")
        with parquet.ParquetWriter(sink, schema, write_page_checksum=True) as writer:
            for group in _groups(rows):
                try:
                    table = arrow.Table.from_pylist(group, schema=schema)
                except arrow.ArrowException as error:
                    raise BulkError(
                        "A conversation has a value that a Parquet column can't store: "
                        f"{error}. Export to a file that ends in .jsonl."
                    ) from error
                writer.write_table(table)


def _columns_schema() -> Any:  # noqa: ANN401
    arrow, _ = pyarrow()
    kinds = {"createdAt": arrow.float64(), "updatedAt": arrow.float64()}
    kinds["metadata.generatingTitle"] = arrow.bool_()
    return arrow.schema([(name, kinds.get(name, arrow.string())) for name in COLUMNS])


def _messages_type() -> Any:  # noqa: ANN401
    arrow, _ = pyarrow()
    text = arrow.string()
    part = arrow.struct([("kind", text), ("text", text), ("json", text)])
    kinds = {"createdAt": arrow.float64(), "parts": arrow.list_(part)}
    names = (*_MESSAGE_FIELDS, "parts", "extra")
    return arrow.list_(arrow.struct([(name, kinds.get(name, text)) for name in names]))


def _groups(rows: Iterable[Fields]) -> Iterator[list[Fields]]:
    """The rows in groups that fit in memory, even with long messages."""
    group: list[Fields] = []
    size = 0
    for row in rows:
        group.append(row)
        size += sum(_size(message) for message in row.get("messages") or ())
        if len(group) == _MAX_ROWS or size > _MAX_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _size(message: Fields) -> int:
    return _MESSAGE_BYTES + sum(len(part["json"]) for part in message["parts"])


def _text_columns(row: Fields) -> dict[str, Any]:
    return {name: _unicode(cell) for name, cell in to_columns(row).items()}


def _messages(messages: Iterable[Fields] | None) -> list[Fields] | None:
    return None if messages is None else [_message(message) for message in messages]


def _message(message: Fields) -> Fields:
    known = {name: _unicode(message[name]) for name in _MESSAGE_FIELDS}
    extra = {name: value for name, value in message.items() if name not in {*known, "parts"}}
    parts = [_part(part) for part in message["parts"]]
    return {**known, "parts": parts, "extra": json.dumps(extra) if extra else None}


def _part(part: Fields) -> Fields:
    text = part.get("text")
    return {
        "kind": _unicode(part["kind"]),
        "text": _unicode(text) if isinstance(text, str) else None,
        "json": json.dumps(part),  # includes fields that have no column
    }


def _unicode(cell: object) -> object:
    return without_surrogates(cell) if isinstance(cell, str) else cell
