"""Reads CSV, with the byte offset of each record."""

import csv
import re
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO, Final, TypeAlias

from attrs import frozen

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.csv_text import NOT_CLOSED, CsvText, csv_text
from conversations_client.bulk._files.formats import SEPARATORS, TABS
from conversations_client.bulk._files.opening import BYTE_ORDER_MARK
from conversations_client.bulk._files.rows import Unreadable

Record: TypeAlias = list[str] | Unreadable

_INSTRUCTION: Final = re.compile(r'"?sep=(.?)"?', re.IGNORECASE)
_TOO_LONG: Final = "field larger than field limit"


@frozen
class Header:
    """The first record of a file, and how to read the records after it.

    Attributes:
        names: The names of the columns; there is at least one.
        separator: The character between two cells.
        is_stated: Whether an Excel instruction such as `sep=;` states the separator.
        end: The byte offset of the next line.
        lines: The number of lines before that offset.
    """

    names: list[str]
    separator: str
    is_stated: bool
    end: int
    lines: int

    def is_repeated_by(self, record: list[str]) -> bool:
        """Whether a record repeats the header, because several files were concatenated."""
        first, *others = record
        # The parser doesn't recognize the quotes of a cell after a byte order mark.
        cell = first.removeprefix(BYTE_ORDER_MARK)
        first = first if cell == first else cell.removeprefix('"').removesuffix('"')
        if self.is_stated and _INSTRUCTION.fullmatch(self.separator.join([first, *others])):
            return True
        return [first, *others] == self.names

    def advice(self, is_known: Callable[[str], bool]) -> str:
        """A hint that the separator may be another one, after a space; usually empty."""
        unknown = "".join(name for name in self.names if not is_known(name))
        others = [each for each in SEPARATORS if each in unknown and each != self.separator]
        if not others:
            return ""
        if self.is_stated:
            plural = SEPARATORS[self.separator]
            return f" The first line of the file states that {plural} separate the columns."
        correction = (
            f"give the file a name that ends in {TABS}"
            if others[0] == "\t"
            else f"put the line sep={others[0]} before the header"
        )
        return f" If {SEPARATORS[others[0]]} separate the columns, {correction}."


def header(file: BinaryIO, name: str, is_known: Callable[[str], bool]) -> Header:
    """Read the header and recognize the separator.

    An instruction such as `sep=;` states the separator, and tabs separate the cells of a `.tsv`
    file. Otherwise, it is the first separator that yields a known column, or else the first that
    yields several columns. The other records are not considered.

    Args:
        file: The file.
        name: Its name.
        is_known: Whether the file may have a column with this name.

    Raises:
        BulkError: The file is not CSV in UTF-8, or is empty.
    """
    with csv_text(file, name) as text:
        start, stated = text.offset, _stated_separator(text)
        if stated is None:
            text.seek(start)
            separators = ["\t"] if name.lower().endswith(TABS) else [*SEPARATORS]
        elif stated in SEPARATORS:
            separators = [stated]
        else:
            raise BulkError(
                f"{name}: The first line is an instruction for Excel, but doesn't name a supported "
                "separator. Separate the columns with commas, semicolons, tabs or vertical bars."
            )
        return _header(text, name, separators, is_known, is_stated=stated is not None)


def _stated_separator(text: CsvText) -> str | None:
    """The separator in an Excel instruction; None if the first line is not an instruction."""
    first = next(filter(None, (line.rstrip("\r\n") for line in text)), "")
    instruction = _INSTRUCTION.fullmatch(first)
    return None if instruction is None else instruction[1]


def _header(
    text: CsvText,
    name: str,
    separators: list[str],
    is_known: Callable[[str], bool],
    *,
    is_stated: bool,
) -> Header:
    start, line = text.offset, text.begin_record()

    def read(separator: str) -> Header:
        text.seek(start, line=line)
        names = _names(text, name, separator)
        return Header(names, separator, is_stated, text.offset, text.begin_record())

    several: list[Header] = []
    for separator in separators:
        # Quotes can be wrong only because the separator is.
        with suppress(csv.Error, BulkError):
            found = read(separator)
            if any(map(is_known, found.names)):
                return found
            several += [found] * (len(found.names) > 1)
    return several[0] if several else read(separators[0])


def _names(text: CsvText, name: str, separator: str) -> list[str]:
    _, _, names = next(_records(text, separator), (0, 0, list[str]()))
    if isinstance(names, Unreadable):
        raise BulkError(f"{name} has no header: {names.problem}")
    if not names:
        raise BulkError(f"{name} has no header line. Its first line must contain the column names.")
    return names


def records(
    file: BinaryIO, name: str, header: Header, offset: int | None = None
) -> Iterator[tuple[int, int, Record]]:
    """The records after the header or from a byte offset on, with byte offsets and line numbers.

    Records without any value at the end of the file are left out: spreadsheets often save them.

    Raises:
        BulkError: The file is not CSV in UTF-8.
    """
    with csv_text(file, name) as text:
        if offset is None:
            text.seek(header.end, line=header.lines)
        else:
            text.seek(offset)
        yield from _without_blank_end(_records(text, header.separator))


def _without_blank_end(
    located: Iterator[tuple[int, int, Record]],
) -> Iterator[tuple[int, int, Record]]:
    blank = array("q")  # compact, because a spreadsheet may save a million blank records
    for each in located:
        offset, line, record = each
        if not (isinstance(record, Unreadable) or any(record)):
            blank.extend((offset, line, len(record)))
            continue
        if blank:
            for index in range(0, len(blank), 3):
                yield blank[index], blank[index + 1], [""] * blank[index + 2]
            del blank[:]
        yield each


def _records(text: CsvText, separator: str) -> Iterator[tuple[int, int, Record]]:
    reader = csv.reader(text, delimiter=separator, strict=True)
    while True:
        offset, line = text.offset, text.begin_record()
        try:
            record = next(reader, None)
        except csv.Error as error:
            if _TOO_LONG not in str(error):
                raise
            # The limit applies to the whole process, so it isn't increased here.
            text.seek(offset, line=line)
            _skip_record(text, separator)
            reader = csv.reader(text, delimiter=separator, strict=True)
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


def _skip_record(lines: Iterator[str], separator: str) -> None:
    is_quoted = False
    is_first = True
    for line in lines:
        is_quoted = _ends_in_quotes(line, separator, is_quoted=is_quoted, is_first=is_first)
        is_first = False
        if not is_quoted:
            return
    raise csv.Error(NOT_CLOSED)


def _ends_in_quotes(line: str, separator: str, *, is_quoted: bool, is_first: bool) -> bool:
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
        end = line.find(separator, position)
        if end < 0:
            return False
        position = end + 1
        is_quoted = line.startswith('"', position)
        position += is_quoted
