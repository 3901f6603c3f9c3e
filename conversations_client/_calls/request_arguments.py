"""Checks the arguments of `client.request`; each check raises InvalidArgumentError."""

from collections.abc import Mapping
from typing import Final, TypeVar, cast

from conversations_client._json.conversion import check_type
from conversations_client.errors import InvalidArgumentError

from .arguments import checked_string, type_name

T = TypeVar("T")

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_QUOTE: Final = "quote each segment with urllib.parse.quote(segment, safe='')"


def checked_path(value: object) -> str:
    """The path of an endpoint that the client has no method for."""
    text = checked_string("path", value)
    problem = _path_problem(text)
    if problem:
        raise InvalidArgumentError(f"path {problem}.")
    return text


def _path_problem(path: str) -> str:
    if not path.startswith("/"):
        return "must begin with '/', as in '/v2/conversations'; the host belongs in base_url"
    for character in path:
        if character == "?":
            return "contains '?': pass the query as query=, or quote a literal '?' as %3F"
        if not "!" <= character <= "~" or character in "#\\":
            return f"contains {character!r}, which is not allowed in a path: {_QUOTE}"
    dots = {".", ".."} & set(path.split("/"))
    if dots:
        return f"contains the segment {dots.pop()!r}, which would change the path: remove it"
    return ""


def checked_class(name: str, value: T) -> T:
    """A class, or another type that JSON can be converted to, such as `list[str]`."""
    if value is None:
        raise InvalidArgumentError(
            f"{name} can't be None: if the response has no body, pass type(None)."
        )
    return check_type(name, value)


def checked_query(query: object) -> tuple[tuple[str, str], ...]:
    """The names and values of query parameters."""
    if not isinstance(query, Mapping):
        raise InvalidArgumentError(f"query must be a dict, not {type_name(query)}.")
    return tuple(
        (checked_string("query: a name", name), _query_value(name, value))
        for name, value in cast("Mapping[str, object]", query).items()
    )


def _query_value(name: str, value: object) -> str:
    """The text of a value; values of types other than str and int have no single text."""
    if isinstance(value, str):
        return checked_string(f"query: {name}", value)
    if not isinstance(value, int) or isinstance(value, bool):
        advice = "omit it" if value is None else "convert it to the text that the API expects"
        raise InvalidArgumentError(
            f"query: {name} must be a string or a whole number, not {type_name(value)}: {advice}."
        )
    try:
        return int.__repr__(value)
    except ValueError:
        raise InvalidArgumentError(f"query: {name} has too many digits.") from None


def checked_method(value: object) -> str:
    """An HTTP method, upper case."""
    text = checked_string("method", value).upper()
    if text not in _METHODS:
        raise InvalidArgumentError(f"method must be one of {', '.join(_METHODS)}.")
    return text
