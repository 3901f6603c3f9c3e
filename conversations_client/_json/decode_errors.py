"""Turns cattrs' exceptions into faults, each with its JSON path."""

from collections.abc import Iterator
from types import UnionType
from typing import Union, get_origin

import attrs
from cattrs import (
    ClassValidationError,
    IterableValidationError,
    StructureHandlerNotFoundError,
)

from conversations_client._fields.attributes import wire_paths
from conversations_client.errors import Fault

from .mismatch import Mismatch


def faults_of(error: Exception, path: str = "$") -> Iterator[Fault]:
    """Every fault in an exception from a detailed converter, in order."""
    match error:
        case ClassValidationError():
            names = wire_paths(error.cl) if attrs.has(get_origin(error.cl) or error.cl) else {}
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
            is_union = get_origin(error.type_) in {Union, UnionType}
            kind = str(error.type_) if is_union else getattr(error.type_, "__name__", error.type_)
            return f"no hook for {kind}: register one with converter.register_structure_hook"
        case _:
            # The message of a user's hook may quote the value.
            return f"conversion failed with {type(error).__name__}"
