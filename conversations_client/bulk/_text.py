"""Checks and converts text for files and databases. No I/O."""

import os
import re
from json import JSONEncoder
from typing import Final

from conversations_client.bulk._errors import BulkError

_encode: Final = JSONEncoder(ensure_ascii=False).encode
# Some readers split lines at U+0085, U+2028 and U+2029. The other control characters and the
# bidirectional overrides could affect a terminal that shows the file. UTF-8 can't encode lone
# surrogates.
_ESCAPED: Final = re.compile("[\x80-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def json_line(value: object) -> str:
    """A line of JSON Lines that UTF-8 can encode and that no reader splits."""
    document = _encode(value)
    if not (document.isascii() or document.isprintable()):  # faster than the expression
        document = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", document)
    return f"{document}\n"


def without_surrogates(text: str) -> str:
    """The text with escape sequences instead of lone surrogates, which UTF-8 can't encode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def check_path(path: str | os.PathLike[str], name: str) -> None:
    """Raise BulkError for a path that no operating system accepts."""
    if "\0" in os.fspath(path):
        raise BulkError(f"The path of the {name} contains a null character.")
