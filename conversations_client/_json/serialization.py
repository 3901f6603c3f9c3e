"""Python values as JSON, or where and why they can't be; raises InvalidArgumentError."""

from collections.abc import Iterator, Mapping, Sequence
from json import JSONEncoder
from json.encoder import encode_basestring
from typing import Any, Final, cast

from conversations_client._base.text import truncate
from conversations_client._base.unset import UNSET
from conversations_client.errors import InvalidArgumentError

_LONGEST_PATH: Final = 200
_LONGEST_KEY: Final = 50
_DEEPEST: Final = 500
_ENCODER: Final = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def json_body(fields: Mapping[str, Any]) -> bytes:
    """A request's body, without the fields that are UNSET."""
    sent = {name: value for name, value in fields.items() if value is not UNSET}
    if all(type(value) is str for value in sent.values()):
        # Most bodies. The encoder takes several times as long to get ready as for its work.
        return _object_of_strings(sent)
    return json_value(sent)


def json_value(value: object) -> bytes:
    """Any value as JSON."""
    try:
        return _dumped(value)
    except (TypeError, ValueError, RecursionError):
        place, problem = _unwritable(value)
    raise InvalidArgumentError(
        f"The arguments can't be written as JSON: {place} {problem}. "
        "Pass strings, finite numbers, booleans, None, lists and dicts."
    )


def _object_of_strings(members: Mapping[str, str]) -> bytes:
    parts = [f"{encode_basestring(name)}:{encode_basestring(members[name])}" for name in members]
    try:
        return f"{{{','.join(parts)}}}".encode()
    except UnicodeEncodeError:
        return json_value(members)  # it words the error


def _dumped(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def _unwritable(value: object) -> tuple[str, str]:
    """The first place that JSON can't hold, never what is there, and why."""
    # Without recursion, for what is nested too deeply comes here, too.
    waiting: list[tuple[str, object, frozenset[int]]] = [("$", value, frozenset())]
    while waiting and len(waiting[-1][-1]) < _DEEPEST:
        path, found, around = waiting.pop()
        problem = "holds itself" if id(found) in around else _problem(found)
        if problem:
            return truncate(path, _LONGEST_PATH), problem
        waiting += [
            (path + step, member, around | {id(found)}) for step, member in _members(found)
        ][::-1]
    return "$", "is nested too deeply"


def _problem(value: object) -> str:
    """What is wrong with a value itself, whatever it holds; nothing if all is well."""
    try:
        _dumped(_emptied(value))
    except UnicodeEncodeError:
        return "contains half of a surrogate pair, which is not text"
    except ValueError:
        return "is no number that JSON can hold"
    except TypeError:
        if isinstance(value, dict):
            return "has a key that is no string"
        return f"is a Python {type(value).__name__}"
    return ""


def _emptied(value: object) -> object:
    match value:
        case dict():
            return dict.fromkeys(cast("Mapping[Any, Any]", value))
        case list() | tuple():
            return []
        case _:
            return value


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, member in cast("Mapping[object, object]", value).items():
            yield _step(str(key)), member
    elif isinstance(value, list | tuple):
        for index, member in enumerate(cast("Sequence[object]", value)):
            yield f"[{index}]", member


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{key[:_LONGEST_KEY]!r}]"
