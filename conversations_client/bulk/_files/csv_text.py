"""The text of a CSV file, with byte offsets and line numbers."""

import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.opening import changed, conversion_from_unknown, text_start

NOT_CLOSED: Final = "a quoted cell is not closed"
_SURROGATE: Final = re.compile("[\udc80-\udcff]")  # stand for bytes that are not UTF-8
_UNEXPECTED_ENDS: Final = ("unexpected end of data", NOT_CLOSED)


class CsvText(Iterator[str]):
    """The lines of a file from a byte offset on.

    Attributes:
        offset: The byte offset of the next line.
    """

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = self._first = start
        self._record = 0
        self._read_from(start)

    def __next__(self) -> str:
        line = next(self._lines)
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
def csv_text(file: BinaryIO, name: str) -> Generator[CsvText, None, None]:
    """The text of a file. In the block, errors of the parser raise BulkError.

    Raises:
        BulkError: The file is not CSV in UTF-8.
    """
    text = CsvText(file, text_start(file, name))
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


def _problem(error: csv.Error, position: str) -> str:
    if str(error) in _UNEXPECTED_ENDS:
        return f"a quotation mark in the row that starts on {position} is never closed"
    return f"in the row that starts on {position}, text follows a closing quote"
