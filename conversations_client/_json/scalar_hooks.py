"""The hooks for values that are no objects: strings, numbers, enums, lists, unions."""

import math
from collections.abc import MutableSequence
from enum import Enum
from functools import reduce
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_mapping,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType]
)
from cattrs.dispatch import StructureHook, UnstructureHook

from conversations_client._base.unset import Unset

from .attributes import tags, wire_name
from .decode_errors import Mismatch, json_type
from .nesting import deeper_than

# Python's own recursion ends at 1000 frames, and what walks a value takes up to three a level:
# what is unknown_fields at all can so be compared, copied, pickled and printed.
_DEEPEST: Final = 100
_AS_IT_CAME: Final = (Any, object)


def register(converter: Converter) -> None:
    """Teach a converter the values of JSON, without any coercion."""
    converter.register_structure_hook(str, string)
    converter.register_structure_hook(bool, boolean)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(float, number)
    converter.register_structure_hook(NoneType, _null)
    # By predicate, for a hook for the class would be every class's.
    converter.register_structure_hook_func(lambda form: form in _AS_IT_CAME, unknown_fields)
    converter.register_structure_hook_factory(is_open_enum, _open_enum_hook)
    converter.register_unstructure_hook_factory(is_open_enum, _open_enum_unhook)
    converter.register_structure_hook_factory(lambda form: Unset in get_args(form), _unset_hook)
    converter.register_structure_hook_factory(is_sequence, _list_hook)
    converter.register_structure_hook_factory(is_mapping, _mapping_hook)
    converter.register_structure_hook_factory(_is_tagged, _tagged_hook)


def expect(value: object, expected: type, name: str) -> None:
    """Raise Mismatch unless the value is exactly of a type."""
    # Exactly, for isinstance would take True for an int.
    if type(value) is not expected:
        raise Mismatch(f"expected {name}, got {json_type(value)}")


def string(value: Any, _: object) -> str:
    """A string, or Mismatch."""
    if type(value) is str:
        return value
    raise Mismatch(f"expected a string, got {json_type(value)}")


def boolean(value: Any, _: object) -> bool:
    """A boolean, or Mismatch."""
    if type(value) is bool:
        return value
    raise Mismatch(f"expected a boolean, got {json_type(value)}")


def number(value: Any, _: object) -> float:
    """A finite number, or Mismatch."""
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    found = "a number that is not finite" if type(value) is float else json_type(value)
    raise Mismatch(f"expected a number, got {found}")


def _integer(value: Any, _: object) -> int:
    if type(value) is int:
        return value
    found = "a fraction" if type(value) is float else json_type(value)
    raise Mismatch(f"expected a whole number, got {found}")


def _null(value: object, _: object) -> None:
    expect(value, NoneType, "null")


def unknown_fields(value: Any, _: object = None) -> Any:
    """JSON as it came, or Mismatch if it is nested too deeply to be handled."""
    if deeper_than(_DEEPEST, value):
        raise Mismatch(f"nested more than {_DEEPEST} levels deep")
    return value


def without(form: Any, *members: Any) -> Any:
    """A union less some members; any other type as it is."""
    if get_origin(form) not in {Union, UnionType}:
        return form
    unknown_fields: list[Any] = [member for member in get_args(form) if member not in members]
    return reduce(lambda union, member: union | member, unknown_fields)


def is_open_enum(form: Any) -> bool:
    """Whether a type is an enum or, for members that nobody knows yet, a string."""
    members = get_args(form)
    return (
        get_origin(form) in {Union, UnionType}
        and len(members) == 2  # noqa: PLR2004 - the enum and str
        and str in members
        and any(isinstance(member, type) and issubclass(member, Enum) for member in members)
    )


def known_members(form: Any) -> dict[str, object]:
    """The members of an open enum by their values."""
    return {member.value: member for member in without(form, str)}


def _open_enum_hook(form: Any) -> StructureHook:
    known = known_members(form)

    def hook(value: Any, _: object) -> object:
        return known.get(string(value, _), value)

    return hook


def _open_enum_unhook(_: Any) -> UnstructureHook:
    return lambda value: value.value if isinstance(value, Enum) else value


def _unset_hook(form: Any, converter: Converter) -> StructureHook:
    given = without(form, Unset)
    inner = converter.get_structure_hook(given)
    return lambda value, _: inner(value, given)


def _list_hook(form: Any, converter: Converter) -> StructureHook:
    mutable = issubclass(get_origin(form) or form, MutableSequence)
    make = list_structure_factory if mutable else homogenous_tuple_structure_factory
    return _only(list, "a list", _keeping(form, make(form, converter)))


def _mapping_hook(form: Any, converter: Converter) -> StructureHook:
    return _only(dict, "an object", _keeping(form, mapping_structure_factory(form, converter)))


def _keeping(form: Any, inner: StructureHook) -> StructureHook:
    # cattrs asks no hook for the members of a list or mapping of anything.
    if get_args(form) and not any(member in _AS_IT_CAME for member in get_args(form)):
        return inner
    return lambda value, form: inner(unknown_fields(value), form)


def _only(expected: type, name: str, inner: StructureHook) -> StructureHook:
    def hook(value: Any, form: Any) -> Any:
        expect(value, expected, name)
        return inner(value, form)

    return hook


def _is_tagged(form: Any) -> bool:
    members = get_args(form)
    return (
        get_origin(form) in {Union, UnionType}
        and all(map(attrs.has, members))
        and sum(not tags(cls) for cls in members) == 1
    )


def _tagged_hook(form: Any, converter: Converter) -> StructureHook:
    # The classes are told apart by the attribute whose type is a Literal; the one class that has
    # none is for the tags that nobody knows.
    (unknown,) = (cls for cls in get_args(form) if not tags(cls))
    by_tag = {value: cls for cls in get_args(form) for a in tags(cls) for value in get_args(a.type)}
    (tag_name,) = {wire_name(a) for cls in get_args(form) for a in tags(cls)}

    hooks: dict[type, StructureHook] = {}

    def hook(value: Any, _: object) -> Any:
        expect(value, dict, "an object")
        tag = value.get(tag_name)
        cls = by_tag.get(tag, unknown) if type(tag) is str else unknown
        if cls not in hooks:
            # Not before: it may lead back to this very union, whose hook is only being made.
            hooks[cls] = converter.get_structure_hook(cls)
        return hooks[cls](value, cls)

    return hook
