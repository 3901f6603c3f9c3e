"""Why an answer could not be structured: cattrs' exceptions as faults, each at its JSON path."""

from collections.abc import Iterator, Mapping
from typing import Final

from cattrs import (
    ClassValidationError,
    IterableValidationError,
    StructureHandlerNotFoundError,
)

from conversations_client.errors import Fault

from .attributes import wire_paths

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
    """A value is of the wrong kind; the message never holds the value.

    Args:
        problem: What is wrong.
        at: The way from the value to where it is wrong; nothing if it is wrong itself.
    """

    def __init__(self, problem: str = "", *, at: str = "") -> None:
        super().__init__(problem)
        self.at = at


def json_type(value: object) -> str:
    """The JSON name of a value's type, with its article."""
    return _JSON_TYPES.get(type(value), f"a Python {type(value).__name__}")


def faults_of(error: Exception, path: str = "$") -> Iterator[Fault]:
    """Every fault that an exception of a detailed converter stands for, in order."""
    match error:
        case ClassValidationError():
            names = wire_paths(error.cl)
            noted, bare = error.group_exceptions()
            for inner, note in noted:
                yield from faults_of(inner, f"{path}.{names.get(note.name, note.name)}")
        case IterableValidationError():
            indexed, bare = error.group_exceptions()
            for inner, index in indexed:
                yield from faults_of(inner, f"{path}[{index.index!r}]")
        case _:
            yield Fault(path + getattr(error, "at", ""), _problem(error))
            return
    for inner in bare:
        yield from faults_of(inner, path)


def _problem(error: Exception) -> str:
    match error:
        case Mismatch():
            return str(error)
        case KeyError():
            return "missing"
        case StructureHandlerNotFoundError():
            kind = getattr(error.type_, "__name__", str(error.type_))
            return f"no hook for {kind}: register one with converter.register_structure_hook"
        case _:
            # Somebody else's message may quote the value.
            return f"refused with {type(error).__name__}"
