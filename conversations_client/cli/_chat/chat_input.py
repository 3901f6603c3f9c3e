"""Reads the messages of a chat from stdin."""

import codecs
import importlib.util
import locale
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from conversations_client.cli._exit_codes import UsageError
from conversations_client.cli._os_errors import describe_os_error

_PROMPT: Final = "> "


def messages_from_stdin(*, prompts: bool) -> Iterator[str]:
    """The lines of stdin, with prompts and line editing if a person types them."""
    return _typed_lines() if prompts else _decoded_lines(sys.stdin.buffer)


def _typed_lines() -> Iterator[str]:
    try:
        yield from _edited_lines() if _has_line_editing() else _plain_lines()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"The terminal's input is not {error.encoding}. Check the locale, or set "
            "PYTHONIOENCODING=utf-8."
        ) from None


def _has_line_editing() -> bool:
    """Whether Python has readline, and both use the same encoding."""
    encodings = {codecs.lookup(each).name for each in (locale.getencoding(), sys.stdin.encoding)}
    return len(encodings) == 1 and importlib.util.find_spec("readline") is not None


def _edited_lines() -> Iterator[str]:
    """Lines with readline's editing and history. Ctrl-D has a meaning only on an empty line."""
    readline = importlib.import_module("readline")  # `input` uses it from then on
    # During a reply, the terminal stores Ctrl-D as a null character, which Ctrl-@ sends as well.
    readline.parse_and_bind(r'"\C-@": "\C-d"')
    while True:
        try:
            yield input(_PROMPT)
        except EOFError:
            sys.stdout.write("\n")
            return


def _plain_lines() -> Iterator[str]:
    """Lines as the terminal sends them. Ctrl-D twice within a line ends that line and the chat."""
    is_complete = True
    while is_complete:
        sys.stdout.write(_PROMPT)
        sys.stdout.flush()
        # Not `input`, which drops the last character of a line that Ctrl-D ends.
        line = sys.stdin.readline()
        is_complete = line.endswith("\n")
        if not is_complete:
            sys.stdout.write("\n")
        yield line.rstrip("\r\n")


def _decoded_lines(lines: BinaryIO) -> Iterator[str]:
    try:
        for number, line in enumerate(lines, 1):
            yield _decoded(line, number).rstrip("\r\n")
            if not line.endswith(b"\n"):
                return  # in a terminal, another read would wait for another Ctrl-D
    except OSError as error:
        raise UsageError(f"The input can't be read: {describe_os_error(error)}") from None


def _decoded(line: bytes, number: int) -> str:
    # UTF-8 in every locale, like the JSON output.
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise UsageError(
            f"Line {number} of the input is not UTF-8. Convert it, for example with iconv."
        ) from None
