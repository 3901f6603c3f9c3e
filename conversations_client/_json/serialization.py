"""Converts objects to JSON; an InvalidArgumentError shows an invalid value's path."""

import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from json import JSONEncoder
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, Final, cast

import attrs

from conversations_client._base.text import truncate
from conversations_client._base.unset import UNSET
from conversations_client._fields.extra import NO_EXTRA
from conversations_client._fields.pretty_repr import PrettyRepr
from conversations_client.errors import InvalidArgumentError

from .conversion import loaded_converter

_MAX_PATH_LENGTH: Final = 200
_MAX_KEY_LENGTH: Final = 50
_MAX_DEPTH: Final = 500
_SCALARS: Final = frozenset({str, int, bool, type(None)})
_LEAVES: Final = _SCALARS | {float, type(UNSET), type(NO_EXTRA)}
# Any, because type checkers don't know the members' types after isinstance().
_DICT: Final[Any] = dict
_CONTAINERS: Final[Any] = (dict, list, tuple)
_STRING: Final = frozenset({str})
_DATA: Final[Any] = PrettyRepr
_SET: Final[Any] = AbstractSet
_MAPPING: Final[Any] = (dict, Mapping)  # in this order, because a dict is recognized faster
_SEQUENCE: Final[Any] = (list, tuple, deque)
_EXPECTED: Final = "Pass strings, finite numbers, booleans, None, lists and dicts."
_ENCODER: Final = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def unstructure(value: object) -> Any:  # noqa: ANN401 - any JSON
    """Convert an object to JSON, represented as Python values; the inverse of `structure`.

    JSON values are returned unchanged, so you can pass this function to `json.dumps` as `default`.
    A set becomes a sorted list.

    Args:
        value: An instance of one of this package's classes or of your own attrs class, or a list
            or dict of such instances.

    Returns:
        The object as JSON, including unknown fields.

    Raises:
        InvalidArgumentError: The object contains a value that JSON can't represent, such as a
            `datetime`, NaN, or a dict key that is not a string. To convert other types, register
            hooks with `converter.register_unstructure_hook`.

    Example:
        from conversations_client import ConversationMetadata, unstructure

        metadata = ConversationMetadata(model="openai/gpt-4o")
        assert unstructure(metadata) == {"model": "openai/gpt-4o"}
    """
    try:
        result = json_argument("value", value)
        if _is_json(result):
            return result
    except RecursionError:
        raise InvalidArgumentError("value is nested too deeply, or contains itself.") from None
    path, problem = _first_problem(result, _problem)
    raise InvalidArgumentError(
        f"value can't be converted to JSON: {path} {problem}. Convert it first, for example to a "
        "string, or register a hook with converter.register_unstructure_hook."
    )


def json_body(fields: Mapping[str, Any]) -> bytes:
    """The body of a request, without the fields that are UNSET."""
    sent = {name: value for name, value in fields.items() if value is not UNSET}
    if all(type(value) is str for value in sent.values()):
        # Most bodies contain only strings, which this serializes several times faster.
        return _object_of_strings(sent)
    return json_value(sent)


def request_argument(name: str, value: object) -> Any:  # noqa: ANN401 - any JSON
    """As `json_argument`, but sets are rejected too, and all dict keys that are not strings.

    An object of another package's class is converted by its hooks, whatever it contains.
    """
    try:
        if _is_lossless(value):
            return json_argument(name, value)
    except RecursionError:
        raise InvalidArgumentError(f"{name} is nested too deeply, or contains itself.") from None
    path, problem = _first_problem(value, _loss)
    raise InvalidArgumentError(f"{name} can't be serialized as JSON: {path} {problem}. {_EXPECTED}")


def json_argument(name: str, value: object) -> Any:  # noqa: ANN401 - any JSON
    """An argument converted to JSON; its values may still be of other types.

    Raises:
        InvalidArgumentError: The argument is nested too deeply, or a dict key is not a string.
    """
    try:
        return loaded_converter().unstructure(value)
    except RecursionError:
        raise InvalidArgumentError(f"{name} is nested too deeply, or contains itself.") from None
    except TypeError as error:
        # A key such as a tuple, which cattrs converts to a list. Hooks may raise other errors.
        if "unhashable type" not in str(error):
            raise
        raise InvalidArgumentError(
            f"{name} contains a dict with a key that is not a string. Convert the key first."
        ) from None


def json_value(value: object) -> bytes:
    """Any value as JSON."""
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        if _is_json(value):
            return _ENCODER.encode(value).encode()
    path, problem = _first_problem(value, _problem)
    raise InvalidArgumentError(
        f"The arguments can't be serialized as JSON: {path} {problem}. {_EXPECTED}"
    )


def _object_of_strings(members: Mapping[str, str]) -> bytes:
    parts = [f"{encode_basestring(name)}:{encode_basestring(members[name])}" for name in members]
    try:
        return f"{{{','.join(parts)}}}".encode()
    except UnicodeEncodeError:
        return json_value(members)  # raises the error


def _is_json(value: Any) -> bool:  # noqa: ANN401 - any value
    """Whether a value consists of strings, finite numbers, booleans, None, lists and dicts."""
    if isinstance(value, _CONTAINERS):
        if isinstance(value, _DICT) and not _has_string_keys(value):
            return False
        members = value.values() if isinstance(value, _DICT) else value
        # A loop, because a generator would take twice as long.
        for member in members:
            if type(member) not in _SCALARS and not _is_json(member):
                return False
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int) or value is None


def _is_lossless(value: Any) -> bool:  # noqa: ANN401 - any value
    """Whether the conversion to JSON keeps all keys and orders in the data that users pass."""
    members: Iterable[object] = ()
    if isinstance(value, _DATA):
        members = _fields_of(value.__class__)(value)
    elif isinstance(value, _MAPPING):
        if not _has_string_keys(value):
            return False
        members = value.values()
    elif isinstance(value, _SEQUENCE):
        members = value
    elif isinstance(value, _SET):
        return False
    return all(type(member) in _LEAVES or _is_lossless(member) for member in members)


def _has_string_keys(value: Mapping[object, object]) -> bool:
    types = set(map(type, value))
    return types <= _STRING or all(issubclass(key, str) for key in types)


def _first_problem(value: object, problem_of: Callable[[object], str]) -> tuple[str, str]:
    """The path of the first invalid value, and what is wrong with it; never the value."""
    # Without recursion, because the value may be nested too deeply.
    stack: list[tuple[str, object, frozenset[int]]] = [("$", value, frozenset())]
    while stack and len(stack[-1][-1]) < _MAX_DEPTH:
        path, current, ancestors = stack.pop()
        problem = "contains itself" if id(current) in ancestors else problem_of(current)
        if problem:
            return truncate(path, _MAX_PATH_LENGTH), problem
        stack += [
            (path + step, member, ancestors | {id(current)}) for step, member in _members(current)
        ][::-1]
    return "$", "is nested too deeply"


def _problem(value: object) -> str:
    """What is wrong with a value, apart from its members; empty if nothing is."""
    try:
        _ENCODER.encode(_emptied(value)).encode()
    except UnicodeEncodeError:
        return "contains half of a surrogate pair, which is not text"
    except ValueError:
        return "is a number that JSON doesn't support"
    except TypeError:
        return _loss(value) or f"is a Python {type(value).__name__}"
    return _loss(value)


def _loss(value: Any) -> str:  # noqa: ANN401 - any value
    """What the conversion to JSON would change, apart from the members; empty if nothing."""
    # JSON's encoder converts keys such as None and numbers.
    if isinstance(value, _MAPPING) and not _has_string_keys(value):
        return "has a key that is not a string"
    return f"is a Python {type(value).__name__}" if isinstance(value, _SET) else ""


def _emptied(value: object) -> object:
    match value:
        case dict():
            return dict.fromkeys(cast("Mapping[object, object]", value))
        case list() | tuple():
            return []
        case _:
            return value


def _members(value: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - any value
    if isinstance(value, _DATA):
        value = dict(zip(_names(value.__class__), _fields_of(value.__class__)(value), strict=True))
    if isinstance(value, _MAPPING):
        for key, member in value.items():
            yield _step(str(key)), member
    elif isinstance(value, _SEQUENCE):
        for index, member in enumerate(value):
            yield f"[{index}]", member


@cache
def _fields_of(cls: Any) -> Callable[[object], tuple[object, ...]]:  # noqa: ANN401 - a data class
    """A function that returns the attributes of an object."""
    return attrgetter(*_names(cls))


def _names(cls: Any) -> list[str]:  # noqa: ANN401 - a data class
    return [attribute.name for attribute in attrs.fields(cls)]


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{key[:_MAX_KEY_LENGTH]!r}]"
