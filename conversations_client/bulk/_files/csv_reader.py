"""Reads CSV, with the byte offset of each record."""

import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final, TypeAlias

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.column_names import FIELDS, separator_problem
from conversations_client.bulk._files.opening import (
    BYTE_ORDER_MARK,
    changed,
    conversion_from_unknown,
    text_start,
)
from conversations_client.bulk._files.rows import Unreadable

Record: TypeAlias = list[str] | Unreadable

_SURROGATE: Final = re.compile("[\udc80-\udcff]")  # stand for bytes that are not UTF-8
_NOT_CLOSED: Final = ("unexpected end of data", "a quoted cell is not closed")
_TOO_LONG: Final = "field larger than field limit"
_INSTRUCTION: Final = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_HEAD: Final = 4096  # bytes, enough for most headers


def header(file: BinaryIO, name: str) -> list[str]:
    """The names of the columns.

    Raises:
        BulkError: The file is not CSV in UTF-8, or is empty.
    """
    with _text(file, name, None) as text:
        try:
            _, _, names = next(_records(text), (0, 0, list[str]()))
        except csv.Error:
            problem = separator_problem(text.last_line)
            if problem is None:
                raise
            raise BulkError(f"{name}: {problem}") from None
    if isinstance(names, Unreadable):
        raise BulkError(f"{name} has no header: {names.problem}")
    if not names:
        raise BulkError(f"{name} has no header line. Its first line must contain the column names.")
    return names


def problem_below(file: BinaryIO, name: str) -> str:
    """The problem with the header below an Excel instruction such as `sep=;`, after a space.

    It is reported together with the instruction, so that a user can correct both at once. Empty if
    the first line is not an instruction, or if the header is separated by commas.
    """
    file.seek(text_start(file, name))
    lines = file.read(_HEAD).decode(errors="replace").splitlines()
    first, header_line, *_ = [*filter(str.strip, lines), "", ""]
    if not _INSTRUCTION.fullmatch(first):
        return ""
    # Without a comma, any separator is wrong, even if the names are unknown.
    is_known = FIELDS.__contains__ if "," in header_line else bool
    problem = separator_problem(header_line, is_known)
    return "" if problem is None else f" {problem}"


def records(file: BinaryIO, name: str, offset: int | None) -> Iterator[tuple[int, int, Record]]:
    """The records after the header or from a byte offset on, with byte offsets and line numbers.

    Raises:
        BulkError: The file is not CSV in UTF-8.
    """
    with _text(file, name, offset) as text:
        remaining = _records(text)
        if offset is None:
            next(remaining, None)
        yield from remaining


def is_header(record: list[str], names: list[str]) -> bool:
    """Whether a record repeats the header, because several files were concatenated."""
    first, *others = record
    # The parser doesn't recognize the quotes of a cell after a byte order mark.
    cell = first.removeprefix(BYTE_ORDER_MARK)
    first = first if cell == first else cell.removeprefix('"').removesuffix('"')
    return [first, *others] == names


def _records(text: "_Text") -> Iterator[tuple[int, int, Record]]:
    reader = csv.reader(text, strict=True)
    while True:
        offset, line = text.offset, text.begin_record()
        try:
            record = next(reader, None)
        except csv.Error as error:
            if _TOO_LONG not in str(error):
                raise
            # The limit applies to the whole process, so it isn't increased here.
            text.seek(offset, line=line)
            _skip_record(text)
            reader = csv.reader(text, strict=True)
            yield (
                offset,
                line + 1,
                Unreadable(
                    f"A cell in the row has more than {csv.field_size_limit():,} characters. "
                    "Shorten it, or check for a missing quote."
                ),
            )
            continue
        if record is None:
            return
        if record:
            yield offset, line + 1, record


def _problem(error: csv.Error, position: str) -> str:
    if str(error) in _NOT_CLOSED:
        return f"a quotation mark in the row that starts on {position} is never closed"
    return f"in the row that starts on {position}, text follows a closing quote"


def _skip_record(lines: Iterator[str]) -> None:
    is_quoted = False
    is_first = True
    for line in lines:
        is_quoted = _ends_in_quotes(line, is_quoted=is_quoted, is_first=is_first)
        is_first = False
        if not is_quoted:
            return
    raise csv.Error(_NOT_CLOSED[1])


def _ends_in_quotes(line: str, *, is_quoted: bool, is_first: bool) -> bool:
    """Whether the record continues inside quotes on the next line."""
    position = 0
    if is_first and line.startswith('"'):
        is_quoted, position = True, 1
    while True:
        if is_quoted:
            end = line.find('"', position)
            if end < 0:
                return True
            position = end + 1
            is_quoted = line.startswith('"', position)  # two quotes stand for one
            position += is_quoted
            continue
        comma = line.find(",", position)
        if comma < 0:
            return False
        position = comma + 1
        is_quoted = line.startswith('"', position)
        position += is_quoted


class _Text(Iterator[str]):
    """The lines of a file from a byte offset on.

    Attributes:
        offset: The byte offset of the next line.
        last_line: The last line that was read.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = self._first = start
        self._record = 0
        self.last_line = ""
        self._read_from(start)

    def __next__(self) -> str:
        line = self.last_line = next(self._lines)
        self.offset += len(line.encode())
        self._line += 1
        return line

    def begin_record(self) -> int:
        """Mark the next line as the start of a record; returns the number of lines before it."""
        self._record = self._line
        return self._line

    def record_position(self) -> str:
        """The line on which the current record starts, for error messages."""
        return self._position(self._record + 1)

    def undecodable_position(self) -> str | None:
        """The first line that is not UTF-8, for error messages; None if the file has changed."""
        self.detach()
        self._file.seek(self._first)
        lines = io.TextIOWrapper(self._file, encoding="utf-8", errors="surrogateescape")
        numbers = (n for n, line in enumerate(lines, 1) if _SURROGATE.search(line))
        number = next(numbers, None)
        self._lines = lines
        return None if number is None else self._position(number)

    def _position(self, line: int) -> str:
        return f"line {line}" + f" from byte {self._first}" * (self._first > self._start)

    def seek(self, offset: int, *, line: int = 0) -> None:
        """Continue at a byte offset that comes after `line` lines."""
        self.detach()
        self._read_from(offset)
        self._line = line
        self._first = self._first if line else offset

    def detach(self) -> None:
        """Stop using the file without closing it."""
        # After an interrupt, it may already be detached; if the file is closed, it can't be.
        with suppress(ValueError):
            self._lines.detach()

    def _read_from(self, offset: int) -> None:
        self.offset = self._file.seek(offset)
        self._line = 0
        self._lines = io.TextIOWrapper(self._file, encoding="utf-8", newline="")


@contextmanager
def _text(file: BinaryIO, name: str, offset: int | None) -> Generator[_Text, None, None]:
    text = _Text(file, text_start(file, name))
    if offset is not None:
        text.seek(offset)
    try:
        yield text
    except UnicodeDecodeError:
        position = text.undecodable_position()
        if position is None:
            raise changed(name) from None
        raise BulkError(
            f"{name} is not UTF-8 ({position}). {conversion_from_unknown(name)}"
        ) from None
    except csv.Error as error:
        raise BulkError(
            f"{name} is not CSV: {_problem(error, text.record_position())}. In a quoted cell, "
            "each quote must be doubled, and the cell must end with a quote."
        ) from None
    finally:
        text.detach()
