"""Parses JSON strictly: only values that the sandbox can store and return unchanged."""

import json
import math
from typing import Final, Never, cast

MAX_DEPTH: Final = 64


def parse(raw: bytes) -> object:
    """Parse JSON more strictly than Python's parser.

    Args:
        raw: The bytes of a JSON document.

    Returns:
        The value, which survives a round trip through JSON.

    Raises:
        ValueError: The JSON is invalid or unsupported. The message is a sentence without the value.
    """
    value = _load(raw)
    if _is_deeper_than(MAX_DEPTH, value):
        raise ValueError(f"The body is nested more than {MAX_DEPTH} levels deep.")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # JSON can escape a lone surrogate, but UTF-8 can't encode it.
        raise ValueError("The body contains a lone surrogate.") from None
    return value


class _UnsupportedError(Exception):
    """Valid JSON that can't be returned unchanged."""


def _load(raw: bytes) -> object:
    try:
        return json.loads(
            raw.decode(),
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except _UnsupportedError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError(f"The body is nested more than {MAX_DEPTH} levels deep.") from None
    except ValueError:
        raise ValueError("The body is not valid JSON in UTF-8.") from None


def _constant(name: str) -> Never:
    raise _UnsupportedError(f"The body contains {name}, which is not valid JSON.")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _UnsupportedError("The body contains a number that is too large for a 64-bit float.")
    return number


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _UnsupportedError("The body contains an integer with too many digits.") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _UnsupportedError("The body contains an object with the same key twice.")
    return fields


def _is_deeper_than(levels: int, value: object) -> bool:
    """Check the nesting level by level, because recursion could exhaust the stack."""
    level = [value]
    for _ in range(levels + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []
