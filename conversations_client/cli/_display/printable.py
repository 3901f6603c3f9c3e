"""Makes text from the service safe for a terminal."""

import re
from typing import Final

# Control characters other than tab and line feed can move the cursor or control the terminal.
# Bidirectional overrides can make text appear different. Lone surrogates can't be written.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

# Some readers split lines at U+2028 and U+2029.
_UNSAFE_IN_JSON: Final = re.compile(f"{_UNSAFE.pattern}|[\u2028\u2029]")


def printable(text: str) -> str:
    """The text with unsafe characters replaced by "�"."""
    return _UNSAFE.sub("�", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The printable text on one line."""
    return printable(" ".join(text.split()))


def escaped_json(document: str) -> str:
    r"""A JSON document with unsafe characters replaced by `\u` escapes, with the same meaning."""
    return _UNSAFE_IN_JSON.sub(lambda unsafe: f"\\u{ord(unsafe[0]):04x}", document)
