"""Other people's text, made safe for a terminal."""

import re
from typing import Final

# Controls but for tab and line feed could move the cursor or run the terminal's own commands;
# the bidirectional overrides could show a text other than the one that is there; half a surrogate
# pair can't be written at all.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with "�" for each character that must not reach a terminal."""
    return _UNSAFE.sub("�", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same on one line."""
    return printable(" ".join(text.split()))
