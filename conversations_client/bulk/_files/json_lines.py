"""Reads JSON Lines."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, cast

from conversations_client.bulk._files.columns import quoted
from conversations_client.bulk._files.opening import text_start
from conversations_client.bulk._files.rows import Fields, Unreadable

_BYTE_ORDER_MARK: Final = "\ufeff"


def lines(file: BinaryIO, name: str, offset: int | None) -> Iterator[tuple[int, bytes]]:
    """The non-empty lines from a byte offset on, each with its byte offset; raises BulkError."""
    start = text_start(file, name)
    position = file.seek(start if offset is None else offset)
    for line in file:
        if line.strip():
            yield position, line
        position += len(line)


def parse(line: bytes) -> Fields | Unreadable:
    """The JSON object on a line."""
    try:
        # In concatenated files, any line can start with a byte order mark.
        text = line.decode().removeprefix(_BYTE_ORDER_MARK)
        value: object = json.loads(text, object_pairs_hook=_object)
    except UnicodeDecodeError:
        return Unreadable("The row is not UTF-8.")
    except (_DoubledNameError, RecursionError, ValueError) as error:
        return Unreadable(_problem(error))
    if not isinstance(value, dict):
        return Unreadable("The row is not a JSON object.")
    return cast("Fields", value)


def _problem(error: Exception) -> str:
    match error:
        case _DoubledNameError(name=name):
            return f"The row has the field {quoted(name)} twice. Remove one of them."
        case RecursionError():
            return "The row is nested too deeply."
        case json.JSONDecodeError(msg=message, pos=position):
            return f"The row is not JSON: {message} at character {position + 1}."
        case _:
            return "The row has a number with too many digits."


class _DoubledNameError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubledNameError(next(name for name in names if names.count(name) > 1))
    return result
