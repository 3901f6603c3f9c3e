"""Opens the files of an import, and finds where their text begins."""

import codecs
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from conversations_client.bulk._errors import BulkError

Source: TypeAlias = str | os.PathLike[str]

_HEAD: Final = 4096  # bytes in which text that is not UTF-8 shows
_OTHER_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


def open_source(path: Source) -> BinaryIO:
    """Open a file that can be read more than once.

    Raises:
        BulkError: It is a pipe or a device.
        OSError: It can't be opened.
    """
    source = Path(path)
    mode = source.stat().st_mode
    # Before it is opened, because opening a pipe waits for its writer.
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise BulkError(
            f"{source.name} is not a regular file. An import reads its file more than once: save "
            "the rows to a file first."
        )
    return source.open("rb")


def text_start(file: BinaryIO, name: str) -> int:
    """The byte at which the text begins, after a byte order mark.

    Raises:
        BulkError: The text is UTF-16 or UTF-32.
    """
    file.seek(0)
    head = file.read(_HEAD)
    # Only the first line: in a CSV, a value may contain this character.
    first_line = re.split(rb"[\r\n]", head.lstrip(b"\r\n"), maxsplit=1)[0]
    if head.startswith(_OTHER_MARKS) or b"\0" in first_line:
        raise BulkError(
            f"{name} is not UTF-8 but UTF-16, UTF-32 or no text. Convert it first, for example "
            f"with: iconv -f UTF-16 -t UTF-8 {name} > utf-8-{name}"
        )
    return len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
