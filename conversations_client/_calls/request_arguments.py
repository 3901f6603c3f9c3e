"""Checks the arguments of `client.request`; each check raises InvalidArgumentError."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_origin

from conversations_client.errors import InvalidArgumentError

from .arguments import checked_string, type_name

T = TypeVar("T")

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def checked_path(value: object) -> str:
    """The path of an endpoint that the client has no method for."""
    text = checked_string("path", value)
    if (
        not text.startswith("/")
        or {".", ".."} & set(text.split("/"))
        or not all("!" <= c <= "~" and c not in "?#\\" for c in text)
    ):
        raise InvalidArgumentError(
            "path must begin with '/', must not contain '.' or '..' segments, '?' or '#', and must "
            "be quoted with urllib.parse.quote where a URL requires it; pass the query as query=."
        )
    return text


def checked_class(name: str, value: T) -> T:
    """A class, or another type that JSON can be converted to, such as `list[str]`."""
    if value is None:
        raise InvalidArgumentError(
            f"{name} can't be None: if the response has no body, pass type(None)."
        )
    if not isinstance(value, type) and get_origin(value) is None:
        raise InvalidArgumentError(
            f"{name} must be a class, such as dict or your own attrs class, not {type_name(value)}."
        )
    return value


def checked_query(query: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The names and values of query parameters."""
    for value in (*query.keys(), *query.values()):
        checked_string("query", str(value))  # numbers are written as text
    return tuple(query.items())


def checked_method(value: object) -> str:
    """An HTTP method, upper case."""
    text = checked_string("method", value).upper()
    if text not in _METHODS:
        raise InvalidArgumentError(f"method must be one of {', '.join(_METHODS)}.")
    return text
