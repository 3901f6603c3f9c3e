"""Makes text from the service safe for a terminal."""

import re
from typing import Final

# Control characters other than tab and line feed could move the cursor or run commands of the
# terminal. Bidirectional overrides could display a different text. Half of a surrogate pair can't
# be written.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with "�" in place of each character that must not reach a terminal."""
    return _UNSAFE.sub("�", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The text made printable, on one line."""
    return printable(" ".join(text.split()))


def escaped_json(document: str) -> str:
    r"""A JSON document with `\u` escapes in place of such characters; its meaning is the same."""
    return _UNSAFE.sub(lambda unsafe: f"\\u{ord(unsafe[0]):04x}", document)
