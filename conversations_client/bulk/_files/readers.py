"""Reads files as rows, one at a time."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from attrs import frozen

from conversations_client import InvalidArgumentError
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files import csv_reader, json_lines
from conversations_client.bulk._files.columns import Columns, NameCheck, is_exported
from conversations_client.bulk._files.formats import Format, format_of
from conversations_client.bulk._files.formulas import unescape_formulas
from conversations_client.bulk._files.opening import Source, open_source
from conversations_client.bulk._files.parquet import ParquetTable
from conversations_client.bulk._files.rows import (
    Fields,
    Key,
    Row,
    Unreadable,
    from_csv,
    from_object,
    key_of,
    names_of,
)

_Read = tuple[Fields | Unreadable, Key]


@frozen
class Index:
    """Where the rows of a file are.

    Attributes:
        total: How many there are.
        offsets: The byte at which each part begins; empty for Parquet, which has its own index.
    """

    total: int
    offsets: tuple[int, ...]


def index_rows(path: Source, *, every: int) -> Index:
    """Find where every so-many-th row begins.

    Raises:
        BulkError: The file is of an unknown kind, or not what its name says.
        OSError: It can't be read.
    """
    kind, name = format_of(path), Path(path).name
    offsets: list[int] = []
    total = 0
    with open_source(path) as file:
        if kind is Format.PARQUET:
            return Index(ParquetTable(file, name).total(), ())
        read = json_lines.lines if kind is Format.JSONL else csv_reader.records
        for place, _ in read(file, name, None):
            if total % every == 0:
                offsets.append(place)
            total += 1
    return Index(total, tuple(offsets))


def count_rows(path: Source) -> int:
    """Count the rows of a file.

    Raises:
        BulkError: The file is of an unknown kind, or not what its name says.
        OSError: It can't be read.
    """
    return index_rows(path, every=1_000_000).total


def check_file(
    path: Source,
    *,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    ignore: Collection[str] = (),
) -> int:
    """Check whether a file can be imported with these options, and count its rows.

    Args:
        path: JSON Lines, CSV or Parquet, by the end of its name.
        columns: As in `import_file`.
        key: As in `import_file`.
        ignore: As in `import_file`.

    Raises:
        BulkError: The file can't be read as what its name says, or a column is unknown, missing or
            there twice.
        InvalidArgumentError: `columns` or `ignore` is invalid.
        OSError: The file can't be read.
    """
    check_columns(path, Columns.of(columns, key, ignore))
    return count_rows(path)


def check_columns(path: Source, columns: Columns) -> None:
    """Check the names in a file, which for JSON Lines are those that all rows have.

    Raises:
        BulkError: A column is unknown, missing or there twice, or none can be sent.
        OSError: The file can't be read.
    """
    kind, name = format_of(path), Path(path).name
    with open_source(path) as file:
        try:
            if kind is Format.PARQUET:
                columns.check_names(ParquetTable(file, name).names())
            elif kind is Format.CSV:
                columns.check_names(csv_reader.header(file, name))
            else:
                _check_objects((line for _, line in json_lines.lines(file, name, None)), columns)
        except BulkError as error:
            raise BulkError(f"{name}: {error}") from None


def _check_objects(lines: Iterator[bytes], columns: Columns) -> None:
    check = NameCheck(columns)
    for row in map(json_lines.parse, lines):
        if isinstance(row, Unreadable):
            continue
        if not check.add(names_of(row), allows_unknown=is_exported(row)):
            return
    check.finish()


def check_range(start: int, stop: int | None) -> None:
    """Check which rows of a file to read; raises InvalidArgumentError."""
    if start < 0 or (stop is not None and stop < 0):
        raise InvalidArgumentError("start and stop are numbers of rows, 0 or more.")


def read_rows(
    path: Source,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    *,
    start: int = 0,
    stop: int | None = None,
    offset: int | None = None,
) -> Iterator[Row]:
    """The rows of a file, each read when it is asked for.

    Args:
        path: The file: JSON Lines, CSV or Parquet, by the end of its name.
        columns: Which column is which field.
        start: How many rows to skip.
        stop: The number of the last row; None for the end of the file.
        offset: The byte at which the first of them begins, so that those before it are not read.

    Raises:
        BulkError: The file is of an unknown kind, or not what its name says.
        OSError: It can't be read.
    """
    kind, name = format_of(path), Path(path).name
    with open_source(path) as file:
        contents: Iterator[_Read]
        if kind is Format.PARQUET:
            contents = ParquetTable(file, name).rows(columns, start, stop)
        else:
            skipped = start if offset is None else 0
            if kind is Format.CSV:
                names = csv_reader.header(file, name)
                records = islice(csv_reader.records(file, name, offset), skipped, None)
                contents = (_from_record(record, names, columns) for _, record in records)
            else:
                lines = islice(json_lines.lines(file, name, offset), skipped, None)
                contents = (_from_line(line, columns) for _, line in lines)
        wanted = islice(contents, None if stop is None else max(stop - start, 0))
        for number, (content, key) in enumerate(wanted, start + 1):
            yield Row(number, content, key)


def _from_line(line: bytes, columns: Columns) -> _Read:
    cells = json_lines.parse(line)
    if isinstance(cells, Unreadable):
        return cells, None
    return _with_key(from_object(cells, columns), cells, columns)


def _from_record(record: csv_reader.Record, names: list[str], columns: Columns) -> _Read:
    if isinstance(record, Unreadable):
        return record, None
    if len(record) != len(names):
        problem = f"The row has {len(record)} cells, and the header has {len(names)}."
        return Unreadable(problem), None
    cells = unescape_formulas(dict(zip(names, record, strict=True)))
    return _with_key(from_csv(cells, columns), cells, columns)


def _with_key(content: Fields | Unreadable, cells: Fields, columns: Columns) -> _Read:
    key = None if columns.key is None else key_of(cells.get(columns.key))
    return (key, None) if isinstance(key, Unreadable) else (content, key)
