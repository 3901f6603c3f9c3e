"""Reads JSON Lines."""

import json
import shlex
from codecs import BOM_UTF8
from collections.abc import Iterator
from json import JSONDecodeError
from os import SEEK_END
from typing import Any, BinaryIO, Final, cast

from attrs import frozen

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.column_names import quoted
from conversations_client.bulk._files.opening import (
    BYTE_ORDER_MARK,
    conversion_from_unknown,
    text_start,
)
from conversations_client.bulk._files.rows import Fields, Unreadable

_TAIL: Final = 4096  # bytes in which the last line begins, if it ends a document
_OPENING: Final = (b"[", b"{")
_CLOSING: Final = (b"]", b"}")


@frozen
class NotAnObject(Unreadable):
    """A line that is not a JSON object."""


@frozen
class NotJson(NotAnObject):
    """A line that is not JSON."""


def check_shape(file: BinaryIO, name: str) -> None:
    """Raise BulkError for a single JSON document that spans several lines.

    Some of its lines may look like rows.
    """
    found = lines(file, name, None)
    offset, _, line = next(found, (0, 0, b""))
    first = line.removeprefix(BOM_UTF8).strip()
    if not first.startswith(_OPENING):
        return
    if first.startswith(b"[") and not isinstance(parse(first), NotJson):
        if next(found, None) is None:
            raise BulkError(f"{name} is a JSON array. {_per_line(name, '.[]')}")
        return
    if not isinstance(parse(first), NotJson):
        return
    if not first.startswith(b"[") and not _ends_document(file, offset + len(line)):
        return
    rows = ".[]" if first.startswith(b"[") else "."
    raise BulkError(
        f"{name} is not JSON Lines: it is a single JSON document that spans several lines. "
        f"{_per_line(name, rows)}"
    )


def check_encoding(file: BinaryIO, name: str) -> None:
    """Raise BulkError if most lines with non-ASCII characters are not UTF-8.

    In a file in another encoding, some lines may look like UTF-8, and would be misread. If only a
    few lines are not UTF-8, their rows fail instead.
    """
    first_wrong = wrong = right = 0
    for _, number, line in lines(file, name, None):
        text = line.removeprefix(BOM_UTF8)
        if text.isascii():
            continue
        if _is_utf_8(text):
            right += 1
        else:
            wrong += 1
            first_wrong = first_wrong or number
    if 0 < right <= wrong:
        raise BulkError(
            f"{name} is not UTF-8 (line {first_wrong:,}). {conversion_from_unknown(name)}"
        )


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _per_line(name: str, rows: str) -> str:
    """Advice on converting a JSON document."""
    source, target = shlex.quote(f"./{name}"), shlex.quote(f"./lines-{name}")
    command = f"jq -c {shlex.quote(rows)} {source} > {target}"
    return f"Write each row on one line, for example with: {command}"


def _ends_document(file: BinaryIO, start: int) -> bool:
    """Whether a file, from a byte offset on, ends with a line that closes an array or object."""
    end = file.seek(0, SEEK_END)
    file.seek(max(start, end - _TAIL))
    ending = file.read().rstrip()
    *_, last_line = ending.splitlines() or [b""]
    *_, last_word = last_line.split() or [b""]
    # A row may contain spaces, so its last word may be "}" too.
    return last_word.startswith(_CLOSING) and isinstance(parse(last_line), NotJson)


def lines(file: BinaryIO, name: str, offset: int | None) -> Iterator[tuple[int, int, bytes]]:
    """The non-empty lines from a byte offset on, each with its byte offset and number.

    Raises:
        BulkError: The file is not UTF-8 text.
    """
    start = text_start(file, name)
    position = file.seek(start if offset is None else offset)
    for number, line in enumerate(file, 1):
        if line.strip():
            yield position, number, line
        position += len(line)


def parse(line: bytes) -> Fields | Unreadable:
    """The JSON object on a line."""
    try:
        # In concatenated files, any line can start with a byte order mark.
        text = line.decode().removeprefix(BYTE_ORDER_MARK)
        value: object = json.loads(text, object_pairs_hook=_object)
    except UnicodeDecodeError:
        return NotJson("The row is not UTF-8.")
    except JSONDecodeError as error:
        return NotJson(f"The row is not JSON: {error.msg} at character {error.pos + 1}.")
    except (_DuplicateNameError, RecursionError, ValueError) as error:
        return Unreadable(_problem(error))
    if not isinstance(value, dict):
        return NotAnObject("The row is not a JSON object.")
    return cast("Fields", value)


def _problem(error: Exception) -> str:
    match error:
        case _DuplicateNameError(name=name):
            return f"The row has the field {quoted(name)} twice. Remove one of them."
        case RecursionError():
            return "The row is nested too deeply."
        case _:
            return "The row has a number with too many digits."


class _DuplicateNameError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateNameError(next(name for name in names if names.count(name) > 1))
    return result
