"""Reads the rows of a file one at a time."""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from attrs import frozen

from conversations_client import InvalidArgumentError
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files import csv_reader, json_lines
from conversations_client.bulk._files.columns import Columns, NameCheck, is_exported
from conversations_client.bulk._files.formats import Format
from conversations_client.bulk._files.formulas import unescape_formulas
from conversations_client.bulk._files.opening import (
    ChangeCheck,
    Source,
    check_line_start,
    open_source,
    source_format,
)
from conversations_client.bulk._files.parquet import ParquetTable
from conversations_client.bulk._files.rows import (
    Fields,
    Key,
    Row,
    Unreadable,
    cell_of,
    from_csv,
    from_object,
    key_of,
    names_of,
)

_Read = tuple[Fields | Unreadable, Key]
_Located = tuple[int | None, _Read]  # the first line of a row, and the row


@frozen
class Index:
    """The number of rows in a file, and where its parts start.

    Attributes:
        total: The number of rows.
        offsets: The byte offset of each part; empty for Parquet, which has an index.
    """

    total: int
    offsets: tuple[int, ...]


def index_rows(path: Source, columns: Columns, *, every: int) -> Index:
    """Find the byte offset of every nth row, where n is `every`.

    Raises:
        BulkError: The extension is unknown, or the content doesn't match it.
        OSError: The file can't be read.
    """
    file_format, name = source_format(path), Path(path).name
    offsets: list[int] = []
    total = 0
    with open_source(path) as file:
        if file_format is Format.PARQUET:
            return Index(ParquetTable(file, name).total(), ())
        rows: Iterator[tuple[int, int, object]]
        if file_format is Format.JSONL:
            rows = json_lines.lines(file, name, None)
        else:
            header = csv_reader.header(file, name, columns.identifies_separator)
            rows = csv_reader.records(file, name, header)
        for offset, _, _ in rows:
            if total % every == 0:
                offsets.append(offset)
            total += 1
    return Index(total, tuple(offsets))


def count_rows(path: Source) -> int:
    """Count the rows in a file.

    Your own column names can help detect a CSV file's separator. If you map or
    ignore columns, use `check_file`, which also counts the rows.

    Args:
        path: The file: JSON Lines, CSV or Parquet, according to its extension.

    Raises:
        BulkError: The extension is unknown, or the content doesn't match it.
        OSError: The file can't be read.

    Example:
        assert count_rows("conversations.jsonl") == 2
    """
    return _total(path, Columns())


def _total(path: Source, columns: Columns) -> int:
    return index_rows(path, columns, every=1_000_000).total


def check_file(
    path: Source,
    *,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    ignore: Collection[str] = (),
) -> int:
    """Check that a file can be imported with these options, and count its rows.

    Args:
        path: The file: JSON Lines, CSV or Parquet, according to its extension.
        columns: As in `import_file`.
        key: As in `import_file`.
        ignore: As in `import_file`.

    Raises:
        BulkError: The file's content doesn't match its extension, or a column is unknown, missing
            or duplicated.
        InvalidArgumentError: `columns` or `ignore` is invalid.
        OSError: The file can't be read.

    Example:
        assert check_file("conversations.jsonl") == 2
    """
    checked_columns = Columns.of(columns, key, ignore)
    check_columns(path, checked_columns)
    return _total(path, checked_columns)


def check_columns(path: Source, columns: Columns) -> None:
    """Check the column names of a file; for JSON Lines, the names that all rows have.

    Raises:
        BulkError: A column is unknown, missing or duplicated, or no column can be sent.
        OSError: The file can't be read.
    """
    file_format, name = source_format(path), Path(path).name
    check: Callable[[], None]
    advice = ""
    with open_source(path) as file:
        if file_format is Format.PARQUET:
            check = partial(columns.check_names, ParquetTable(file, name).names())
        elif file_format is Format.CSV:
            header = csv_reader.header(file, name, columns.identifies_separator)
            advice = header.advice(columns.is_known)
            check = partial(columns.check_names, header.names)
        else:
            json_lines.check_shape(file, name)
            json_lines.check_encoding(file, name)
            lines = (line for _, _, line in json_lines.lines(file, name, None))
            check = partial(_check_objects, lines, columns)
        try:
            check()
        except BulkError as error:
            raise BulkError(f"{name}: {error}{advice}") from None


def _check_objects(lines: Iterator[bytes], columns: Columns) -> None:
    check = NameCheck(columns)
    problem: str | None = None
    has_object = False
    for row in map(json_lines.parse, lines):
        if isinstance(row, json_lines.NotAnObject):
            problem = problem or row.problem
            continue
        has_object = True
        if isinstance(row, Unreadable):
            continue
        if not check.add(names_of(row), allows_unknown=is_exported(row)):
            return
    if problem is not None and not has_object:
        raise BulkError(
            f"Each line must be a JSON object, but none is. The first problem: {problem}"
        )
    check.finish()


def check_range(start: int, stop: int | None) -> None:
    """Check the range of rows to read; raises InvalidArgumentError."""
    numbers: list[object] = [start, *([] if stop is None else [stop])]
    if not all(isinstance(number, int) for number in numbers):
        raise InvalidArgumentError("start and stop must be whole numbers.")
    if start < 0 or (stop is not None and stop < 0):
        raise InvalidArgumentError("start and stop must be 0 or more.")


def read_rows(
    path: Source,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    *,
    start: int = 0,
    stop: int | None = None,
    offset: int | None = None,
    change_check: ChangeCheck | None = None,
) -> Iterator[Row]:
    """The rows of a file, read lazily.

    Args:
        path: The file: JSON Lines, CSV or Parquet, according to its extension.
        columns: The field of each column.
        start: The number of rows to skip.
        stop: The number of the last row; None for the end of the file.
        offset: The byte offset of the first row, so that the rows before it are not read.
        change_check: Shared by several reads of the file. Default: a new one.

    Raises:
        BulkError: The extension is unknown, the content doesn't match it, or the file changes while
            it is read.
        OSError: The file can't be read.
    """
    file_format, name = source_format(path), Path(path).name
    change_check = change_check or ChangeCheck()
    with open_source(path) as file:
        change_check.check(file, name)
        contents: Iterator[_Located]
        renamed = {field: column for column, field in columns.fields.items()}
        if file_format is Format.PARQUET:
            table = ParquetTable(file, name).rows(columns, start, stop)
            contents = ((None, read) for read in table)
        else:
            if offset is not None:
                check_line_start(file, offset, name)
            skipped = start if offset is None else 0
            if file_format is Format.CSV:
                header = csv_reader.header(file, name, columns.identifies_separator)
                records = islice(csv_reader.records(file, name, header, offset), skipped, None)
                contents = ((n, _from_record(record, header, columns)) for _, n, record in records)
            else:
                lines = islice(json_lines.lines(file, name, offset), skipped, None)
                contents = ((n, _from_line(line, columns)) for _, n, line in lines)
        selected = islice(contents, None if stop is None else max(stop - start, 0))
        for number, (line, (content, key)) in enumerate(selected, start + 1):
            change_check.check(file, name)
            # The lines before an offset were not counted.
            yield Row(number, content, key, line if offset is None else None, renamed)
        change_check.check(file, name)


def _from_line(line: bytes, columns: Columns) -> _Read:
    cells = json_lines.parse(line)
    if isinstance(cells, Unreadable):
        return cells, None
    return _with_key(from_object(cells, columns), cells, columns)


_REPEATED_HEADER: Final = Unreadable(
    "The row repeats the header. Leave it, or replace it with a new row."
)


def _from_record(record: csv_reader.Record, header: csv_reader.Header, columns: Columns) -> _Read:
    names = header.names
    if isinstance(record, Unreadable):
        return record, None
    if header.is_repeated_by(record):
        return _REPEATED_HEADER, None
    if len(record) != len(names):
        count = f"{len(record)} cell{'s' * (len(record) != 1)}"
        problem = Unreadable(f"The row has {count}, but the header has {len(names)}.")
        return _with_key(problem, dict(zip(names, record, strict=False)), columns)
    cells = unescape_formulas(dict(zip(names, record, strict=True)))
    return _with_key(from_csv(cells, columns), cells, columns)


def _with_key(content: Fields | Unreadable, cells: Fields, columns: Columns) -> _Read:
    key = None if columns.key is None else key_of(cell_of(cells, columns.key))
    return (key, None) if isinstance(key, Unreadable) else (content, key)
