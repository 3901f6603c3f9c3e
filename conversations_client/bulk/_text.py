"""Checks and converts text for files and databases. No I/O."""

import os

from conversations_client.bulk._errors import BulkError


def without_surrogates(text: str) -> str:
    """The text with escape sequences instead of lone surrogates, which UTF-8 can't encode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def check_path(path: str | os.PathLike[str], name: str) -> None:
    """Raise BulkError for a path that no operating system accepts."""
    if "\0" in os.fspath(path):
        raise BulkError(f"The path of the {name} contains a null character.")
