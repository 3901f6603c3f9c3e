"""Files as rows, one at a time."""

import csv
import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._format import Format, format_of, pyarrow
from conversations_client.bulk._rows import Fields, Row, Unreadable, from_columns

Source = str | os.PathLike[str]


def count_rows(path: Source) -> int:
    """How many rows a file has, without reading what they hold.

    Raises:
        BulkError: The file is of no known kind, or not what its name says.
        OSError: It can't be read.
    """
    if format_of(path) is Format.PARQUET:
        return int(_opened(path).metadata.num_rows)
    return sum(1 for _ in _raw(path))


def read_rows(path: Source, *, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """The rows of a file, each when it is asked for.

    Args:
        path: The file: JSON Lines, CSV or Parquet, by the end of its name.
        start: How many rows to leave out.
        stop: Behind how many rows to stop; None for at the end.

    Raises:
        BulkError: The file is of no known kind, or not what its name says.
        OSError: It can't be read.
    """
    parse = _from_line if format_of(path) is Format.JSONL else from_columns
    wanted = islice(_raw(path), start, stop)
    for number, content in enumerate(wanted, start + 1):
        yield Row(number, parse(content))


def _raw(path: Source) -> Iterator[Any]:
    read = {Format.JSONL: _lines, Format.CSV: _csv, Format.PARQUET: _parquet}
    return read[format_of(path)](path)


def _lines(path: Source) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        yield from filter(bytes.strip, file)


def _from_line(line: bytes) -> Fields | Unreadable:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return Unreadable("not JSON in UTF-8")
    if not isinstance(value, dict):
        return Unreadable("not a JSON object")
    return cast("Fields", value)


def _csv(path: Source) -> Iterator[Fields]:
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="", strict=True)
        try:
            yield from cast("Iterable[Fields]", reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise BulkError(
                f"{Path(path).name} is no CSV in UTF-8 (after line {reader.line_num}): {error}"
            ) from None


def _parquet(path: Source) -> Iterator[Fields]:
    file = _opened(path)
    with file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def _opened(path: Source) -> Any:  # noqa: ANN401 - pyarrow has no types
    arrow, parquet = pyarrow()
    try:
        return parquet.ParquetFile(path)
    except arrow.ArrowInvalid as error:
        raise BulkError(f"{Path(path).name} is no Parquet file: {error}") from None
