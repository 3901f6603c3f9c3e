"""Opens the files of an import and finds the start of their text."""

import codecs
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from conversations_client.bulk._errors import BulkError

Source: TypeAlias = str | os.PathLike[str]

_HEAD: Final = 4096  # bytes, enough to recognize other encodings
_OTHER_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


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
        raise BulkError(
            f"{source.name} is not a regular file. An import reads its file more than once. Save "
            "the rows to a file first."
        )
    return source.open("rb")


def text_start(file: BinaryIO, name: str) -> int:
    """The byte offset of the text, after a byte order mark.

    Raises:
        BulkError: The text is UTF-16 or UTF-32.
    """
    file.seek(0)
    head = file.read(_HEAD)
    # Only the first line is checked, because values in a CSV may contain null characters.
    first_line = re.split(rb"[\r\n]", head.lstrip(b"\r\n"), maxsplit=1)[0]
    if head.startswith(_OTHER_MARKS) or b"\0" in first_line:
        raise BulkError(
            f"{name} is not UTF-8. It may be UTF-16, UTF-32 or not text at all. Convert it first, "
            f"for example with: iconv -f UTF-16 -t UTF-8 {name} > utf-8-{name}"
        )
    return len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
