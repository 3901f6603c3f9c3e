"""Opens the files of an import and finds the start of their text."""

import codecs
import os
import re
import shlex
import stat
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.formats import TABS, Format, import_format

Source: TypeAlias = str | os.PathLike[str]

BYTE_ORDER_MARK: Final = "\ufeff"
_ZERO: Final = b"\0"
_START: Final = 16  # bytes of the first line; they are ASCII in most files
_HEAD: Final = 4096  # bytes, enough to recognize other encodings
# In this order, because the UTF-32 mark starts with the UTF-16 mark.
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_AS_CSV: Final = "Save the sheet as CSV in UTF-8."
_WINDOWS_ENCODING: Final = "WINDOWS-1252"
_WORKBOOKS: Final = (".numbers", ".ods", ".xls", ".xlsb", ".xlsm", ".xlsx")
_OTHER_FILES: Final = {
    b"PK\x03\x04": (
        "a ZIP archive, such as an Excel workbook",
        "Unpack it, or save the sheet as CSV in UTF-8.",
    ),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", _AS_CSV),
    b"PAR1\x15": ("Parquet", "Give it a name that ends in .parquet."),
    b"SQLite format 3\x00": ("a SQLite database", "Export a table as CSV first."),
}
_COMPRESSED: Final = {
    "bzip2": (".bz2", b"BZh9"),
    "gzip": (".gz", b"\x1f\x8b"),
    "xz": (".xz", b"\xfd7zXZ\x00"),
    "zstd": (".zst", b"\x28\xb5\x2f\xfd"),
}
"""The tools that unpack files, each with the extension and the beginning of its files."""


def source_format(path: Source) -> Format:
    """The format of a file to read, according to its extension.

    Raises:
        BulkError: The extension is unknown. The message says what the file is if that is clear.
    """
    try:
        return import_format(path)
    except BulkError:
        source = Path(path)
        problem = _problem_of(source) if source.exists() else None
        if problem is None:
            raise
    raise BulkError(problem)


def _problem_of(source: Path) -> str | None:
    """Why a file with an unknown extension can't be read, if there is a more specific reason."""
    if source.is_dir():
        return f"{source} is a folder. Import each file in it separately."
    if not source.is_file():
        return _not_readable_twice(source)
    suffix = source.suffix.lower()
    if suffix in _WORKBOOKS:
        return f"{source.name} is a workbook. {_AS_CSV}"
    if suffix == ".zip":
        return f"{source.name} is compressed. Unpack it first."
    for tool, (ending, _) in _COMPRESSED.items():
        if suffix == ending:
            return f"{source.name} is compressed. {_unpacking(source.name, source.stem, tool)}"
    return None


def _unpacking(name: str, unpacked: str, tool: str) -> str:
    source, target = shlex.quote(f"./{name}"), shlex.quote(f"./unpacked-{unpacked}")
    return f"Unpack it first, for example with: {tool} -dc < {source} > {target}"


def _not_readable_twice(source: Path) -> str:
    kind = "a pipe" if source.is_fifo() else "not a regular file"
    return (
        f"{source} is {kind}. An import reads its file more than once. Save the rows to a file "
        "first."
    )


def open_source(path: Source) -> BinaryIO:
    """Open a file that can be read more than once.

    Raises:
        BulkError: The file is a pipe or a device.
        OSError: The file can't be opened.
    """
    source = Path(path)
    mode = source.stat().st_mode
    # Checked before opening, because opening a pipe waits for its writer.
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise BulkError(_not_readable_twice(source))
    return source.open("rb")


def changed(name: str) -> BulkError:
    """The error for a file that changed while an import read it."""
    return BulkError(
        f"{name} changed while it was being read. Run the import again when nothing is writing to "
        "the file."
    )


def changed_since_planned(name: str) -> BulkError:
    """The error for a file that is not the one that was divided into parts."""
    return BulkError(
        f"{name} has changed since its import was divided into parts. Call partitions() again."
    )


def check_line_start(file: BinaryIO, offset: int, name: str) -> None:
    """Raise BulkError if a part of a text file doesn't begin at the start of a line.

    Otherwise, its first row would be incomplete.
    """
    if offset > text_start(file, name):
        file.seek(offset - 1)
        if file.read(1) not in {b"\n", b"\r"}:
            raise changed_since_planned(name)


class ChangeCheck:
    """Detects changes to a file while an import reads it, including between two reads."""

    def __init__(self) -> None:
        self._version: tuple[int, ...] | None = None

    def check(self, file: BinaryIO, name: str) -> None:
        """Raise BulkError if the file has changed since the first call."""
        status = os.fstat(file.fileno())
        version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._version is None:
            self._version = version
        elif version != self._version:
            raise changed(name)


def text_start(file: BinaryIO, name: str) -> int:
    """The byte offset of the text, after a byte order mark.

    Raises:
        BulkError: The text is UTF-16 or UTF-32, or the file is not text.
    """
    file.seek(0)
    head = file.read(_HEAD)
    for beginning, (kind, advice) in _OTHER_FILES.items():
        if head.startswith(beginning):
            raise BulkError(f"{name} is not a text file: it is {kind}. {advice}")
    for tool, (_, beginning) in _COMPRESSED.items():
        if head.startswith(beginning):
            advice = _unpacking(name, name, tool)
            raise BulkError(f"{name} is not a text file: it is compressed with {tool}. {advice}")
    encoding = _other_encoding(head)
    if encoding is not None:
        raise BulkError(f"{name} is {encoding}, not UTF-8. {conversion(name, encoding)}")
    return len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0


def conversion(name: str, encoding: str) -> str:
    """Advice on converting a file from a known encoding to UTF-8."""
    return f"{_in_a_spreadsheet(name)}Convert it first, for example with: {_iconv(name, encoding)}"


def conversion_from_unknown(name: str) -> str:
    """Advice on converting a file from an unknown encoding to UTF-8."""
    # A conversion from the wrong encoding usually succeeds, but the names are wrong.
    return (
        f"{_in_a_spreadsheet(name)}Convert it from the encoding in which it was written. For "
        f"{_WINDOWS_ENCODING}, which is common in Western Europe and the Americas, use: "
        f"{_iconv(name, _WINDOWS_ENCODING)}"
    )


def _in_a_spreadsheet(name: str) -> str:
    is_table = name.lower().endswith((*Format.CSV.value, TABS))
    return 'In a spreadsheet, save it as "CSV UTF-8". ' if is_table else ""


def _iconv(name: str, encoding: str) -> str:
    source, target = shlex.quote(f"./{name}"), shlex.quote(f"./utf-8-{name}")
    return f"iconv -f {encoding} -t UTF-8 {source} > {target}"


def _other_encoding(head: bytes) -> str | None:
    """The encoding of text that is clearly not UTF-8, or None."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    # Only the first line is checked, because values in a CSV may contain null characters.
    first_line = re.split(rb"[\r\n]", head.lstrip(b"\r\n"), maxsplit=1)[0]
    start = first_line[:_START]
    if start.count(_ZERO) * 4 < max(len(start), 1):
        return None
    width = 32 if b"\0\0" in first_line else 16
    return f"UTF-{width}{'BE' if head.startswith(_ZERO) else 'LE'}"
