"""The exception for JSON that doesn't fit a class."""

from collections.abc import Mapping
from typing import Final

_JSON_TYPES: Final[Mapping[type, str]] = {
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
    list: "a list",
    dict: "an object",
}


class Mismatch(TypeError):  # noqa: N818 - never leaves the package
    """A value has the wrong type; the message never contains the value.

    Args:
        problem: What is wrong.
        at: The path from the value to the fault; empty if the value itself is invalid.
    """

    def __init__(self, problem: str = "", *, at: str = "") -> None:
        super().__init__(problem)
        self.at = at


def json_type(value: object) -> str:
    """The JSON name of a value's type, with its article."""
    return _JSON_TYPES.get(type(value), f"a Python {type(value).__name__}")
