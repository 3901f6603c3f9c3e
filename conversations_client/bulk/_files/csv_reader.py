"""Reads CSV, with the byte at which each record begins."""

import csv
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, TypeAlias

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.opening import text_start
from conversations_client.bulk._files.rows import Unreadable

Record: TypeAlias = list[str] | Unreadable

_TOO_LONG: Final = "field larger than field limit"


def header(file: BinaryIO, name: str) -> list[str]:
    """The names of the columns; empty for an empty file.

    Raises:
        BulkError: The file is not CSV in UTF-8.
    """
    with _text(file, name, None) as text:
        _, names = next(_records(text), (0, list[str]()))
    if isinstance(names, Unreadable):
        raise BulkError(f"{name} has no header: {names.problem}")
    return names


def records(file: BinaryIO, name: str, offset: int | None) -> Iterator[tuple[int, Record]]:
    """The records after the header, or from a byte on, each with its byte.

    Raises:
        BulkError: The file is not CSV in UTF-8.
    """
    with _text(file, name, offset) as text:
        found = _records(text)
        if offset is None:
            next(found, None)
        yield from found


def _records(text: "_Text") -> Iterator[tuple[int, Record]]:
    reader = csv.reader(text, strict=True)
    while True:
        place, line = text.place, text.line
        try:
            record = next(reader, None)
        except csv.Error as error:
            if _TOO_LONG not in str(error):
                raise
            # The limit is one for the whole process, so it is left as it is.
            text.go_to(place, line=line)
            _skip_record(text)
            reader = csv.reader(text, strict=True)
            yield (
                place,
                Unreadable(
                    f"A cell of the row has more than {csv.field_size_limit():,} characters: "
                    "shorten it, or look for a missing quote."
                ),
            )
            continue
        if record is None:
            return
        if record:
            yield place, record


def _skip_record(lines: Iterator[str]) -> None:
    is_quoted = False
    is_first = True
    for line in lines:
        is_quoted = _ends_in_quotes(line, is_quoted=is_quoted, is_first=is_first)
        is_first = False
        if not is_quoted:
            return
    raise csv.Error("a quoted cell is not closed")


def _ends_in_quotes(line: str, *, is_quoted: bool, is_first: bool) -> bool:
    """Whether the record continues on the next line, inside quotes."""
    place = 0
    if is_first and line.startswith('"'):
        is_quoted, place = True, 1
    while True:
        if is_quoted:
            end = line.find('"', place)
            if end < 0:
                return True
            place = end + 1
            is_quoted = line.startswith('"', place)  # two quotes stand for one
            place += is_quoted
            continue
        comma = line.find(",", place)
        if comma < 0:
            return False
        place = comma + 1
        is_quoted = line.startswith('"', place)
        place += is_quoted


class _Text(Iterator[str]):
    """The lines of a file from a byte on.

    Attributes:
        place: The byte at which the next line begins.
        line: How many lines have been read.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = self._first = start
        self._read_from(start)

    def __next__(self) -> str:
        line = next(self._lines)
        self.place += len(line.encode())
        self.line += 1
        return line

    def __str__(self) -> str:
        return f"line {self.line}" + f" from byte {self._first}" * (self._first > self._start)

    def go_to(self, place: int, *, line: int = 0) -> None:
        """Continue at a byte, which is in front of the line after `line`."""
        self.leave()
        self._read_from(place)
        self.line = line
        self._first = self._first if line else place

    def leave(self) -> None:
        """Release the file, which stays open if it is."""
        if not self._file.closed:
            self._lines.detach()

    def _read_from(self, place: int) -> None:
        self.place = self._file.seek(place)
        self.line = 0
        self._lines = io.TextIOWrapper(self._file, encoding="utf-8", newline="")


@contextmanager
def _text(file: BinaryIO, name: str, offset: int | None) -> Generator[_Text, None, None]:
    text = _Text(file, text_start(file, name))
    if offset is not None:
        text.go_to(offset)
    try:
        yield text
    except (csv.Error, UnicodeDecodeError) as error:
        raise BulkError(f"{name} is not CSV in UTF-8 (after {text}): {error}.") from None
    finally:
        text.leave()
