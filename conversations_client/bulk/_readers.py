"""Files as rows, one at a time."""

import csv
import io
import json
import math
import os
from collections.abc import Iterator
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from attrs import frozen

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._format import Format, format_of, pyarrow
from conversations_client.bulk._rows import Fields, Row, Unreadable, from_columns

Source = str | os.PathLike[str]

_MARK: Final = "\ufeff".encode()  # what some programs begin a file in UTF-8 with
_AT_ONCE: Final = 1_000  # rows of a Parquet file


@frozen
class Index:
    """Where the rows of a file are.

    Attributes:
        total: How many there are.
        offsets: At which byte each so-many-th of them begins; empty for a file that knows itself.
    """

    total: int
    offsets: tuple[int, ...]


def index_rows(path: Source, *, every: int) -> Index:
    """Where each so-many-th row of a file is, without reading what they hold.

    Raises:
        BulkError: The file is of no known kind, or not what its name says.
        OSError: It can't be read.
    """
    if format_of(path) is Format.PARQUET:
        with Path(path).open("rb") as file:
            return Index(int(_parquet(path, file).metadata.num_rows), ())
    offsets: list[int] = []
    total = 0
    for place, _ in _placed(path, None):
        if total % every == 0:
            offsets.append(place)
        total += 1
    return Index(total, tuple(offsets))


def count_rows(path: Source) -> int:
    """How many rows a file has, without reading what they hold.

    Raises:
        BulkError: The file is of no known kind, or not what its name says.
        OSError: It can't be read.
    """
    return index_rows(path, every=1_000_000).total


def read_rows(
    path: Source, *, start: int = 0, stop: int | None = None, offset: int | None = None
) -> Iterator[Row]:
    """The rows of a file, each when it is asked for.

    Args:
        path: The file: JSON Lines, CSV or Parquet, by the end of its name.
        start: How many rows to leave out.
        stop: Behind how many rows to stop; None for at the end.
        offset: At which byte the first of them begins, so that those before it need not be read.

    Raises:
        BulkError: The file is of no known kind, or not what its name says.
        OSError: It can't be read.
    """
    contents: Iterator[Any]
    if format_of(path) is Format.PARQUET:
        contents = _parquet_rows(path, start, stop)
    else:
        placed = islice(_placed(path, offset), start if offset is None else 0, None)
        contents = (content for _, content in placed)
    parse = _from_line if format_of(path) is Format.JSONL else from_columns
    wanted = islice(contents, None if stop is None else max(stop - start, 0))
    for number, content in enumerate(wanted, start + 1):
        yield Row(number, parse(content))


def _placed(path: Source, offset: int | None) -> Iterator[tuple[int, Any]]:
    """The rows from a byte on, each with that at which it begins."""
    read = _lines if format_of(path) is Format.JSONL else _csv
    with Path(path).open("rb") as file:
        yield from read(path, file, offset)


def _lines(_: Source, file: BinaryIO, offset: int | None) -> Iterator[tuple[int, bytes]]:
    place = file.seek(offset or 0)
    for line in file:
        if line.strip():
            yield place, line
        place += len(line)


def _from_line(line: bytes) -> Fields | Unreadable:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return Unreadable("not JSON in UTF-8")
    if not isinstance(value, dict):
        return Unreadable("not a JSON object")
    return cast("Fields", value)


class _Text(Iterator[str]):
    """The lines of a file from a byte on.

    Attributes:
        place: The byte at which the next line begins.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.go_to(len(_MARK) if file.read(len(_MARK)) == _MARK else 0)

    def __next__(self) -> str:
        line = next(self._lines)
        self.place += len(line.encode())
        self._count += 1
        return line

    def __str__(self) -> str:
        return f"line {self._count}" + f" from byte {self._begin}" * (self._begin > len(_MARK))

    def go_to(self, place: int) -> None:
        """Go on at a byte."""
        self._begin = self.place = self._file.seek(place)
        self._count = 0
        self._lines = io.TextIOWrapper(self._file, encoding="utf-8", newline="")

    def leave(self) -> None:
        """Let go of the file, which stays open."""
        self._lines.detach()


def _csv(path: Source, file: BinaryIO, offset: int | None) -> Iterator[tuple[int, Fields]]:
    text = _Text(file)
    try:
        columns = next(csv.reader(text, strict=True), list[str]())
        if offset is not None:
            text.leave()
            text.go_to(offset)
        place = text.place
        for row in csv.DictReader(text, columns, restkey="", strict=True):
            yield place, row
            place = text.place
    except (csv.Error, UnicodeDecodeError) as error:
        raise BulkError(f"{Path(path).name} is no CSV in UTF-8 (after {text}): {error}") from None
    finally:
        text.leave()


def _parquet_rows(path: Source, start: int, stop: int | None) -> Iterator[Fields]:
    """The rows from one on, out of the groups alone that hold those up to another one."""
    end = math.inf if stop is None else stop
    with Path(path).open("rb") as opened:
        file = _parquet(path, opened)
        sizes = (file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))
        bounds = enumerate(pairwise(accumulate(sizes, initial=0)))
        wanted = {n: first for n, (first, behind) in bounds if first < end and behind > start}
        before = start - min(wanted.values(), default=start)
        batches = file.iter_batches(batch_size=_AT_ONCE, row_groups=list(wanted))
        yield from islice((row for batch in batches for row in batch.to_pylist()), before, None)


def _parquet(path: Source, file: BinaryIO) -> Any:  # noqa: ANN401 - pyarrow has no types
    arrow, parquet = pyarrow()
    try:
        return parquet.ParquetFile(file)
    except arrow.ArrowInvalid as error:
        raise BulkError(f"{Path(path).name} is no Parquet file: {error}") from None
