"""The cattrs hooks for strings, numbers, enums, lists, mappings and unions."""

import math
from collections.abc import MutableSequence, MutableSet
from collections.abc import Set as AbstractSet
from enum import Enum
from types import GenericAlias, NoneType, UnionType
from typing import Any, Final, Literal, NoReturn, Union, cast, get_args, get_origin, is_typeddict

import attrs
from cattrs import Converter, StructureHandlerNotFoundError
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_mapping,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType]
)
from cattrs.dispatch import StructureHook, UnstructureHook

from conversations_client._base.unset import Unset
from conversations_client._fields.attributes import (
    is_open_enum,
    known_members,
    tags,
    wire_name,
    without,
)

from .mismatch import Mismatch, json_type
from .nesting import bounded

_ANY_JSON: Final = (Any, object)


def register(converter: Converter) -> None:
    """Register the hooks on a converter; none of them coerces a value."""
    # These also apply to subclasses, such as enums of strings.
    converter.register_structure_hook(str, _instance_of(str, string))
    converter.register_structure_hook(bool, boolean)
    converter.register_structure_hook(int, _instance_of(int, _integer))
    converter.register_structure_hook(float, _instance_of(float, number))
    converter.register_structure_hook(NoneType, _null)
    converter.register_structure_hook(bytes, no_hook)  # cattrs would call bytes(value)
    # By predicate: a hook for the class `object` would apply to every class.
    converter.register_structure_hook_func(
        lambda form: form in _ANY_JSON, lambda value, _: bounded(value)
    )
    converter.register_structure_hook_factory(is_open_enum, _open_enum_hook)
    converter.register_unstructure_hook_factory(is_open_enum, _open_enum_unhook)
    converter.register_structure_hook_factory(lambda form: Unset in get_args(form), _unset_hook)
    converter.register_structure_hook_factory(is_sequence, _list_hook)
    converter.register_structure_hook_factory(is_mapping, _mapping_hook)
    converter.register_structure_hook_factory(_is_set, _set_hook)
    converter.register_unstructure_hook_factory(_is_set, _set_unhook)
    converter.register_structure_hook_factory(_is_pair, _pair_hook)
    converter.register_structure_hook_factory(is_typeddict, _typed_dict_hook)
    converter.register_structure_hook_factory(_is_literal, _literal_hook)
    converter.register_structure_hook_factory(_is_tagged, _tagged_hook)


def no_hook(_: object, form: Any) -> NoReturn:
    """The hook for types that JSON can't represent, until users register their own."""
    raise StructureHandlerNotFoundError("", form)


def _instance_of(cls: type, check: StructureHook) -> StructureHook:
    def hook(value: Any, form: Any) -> Any:
        check(value, form)
        return value if form is cls else form(value)

    return hook


def expect(value: object, expected: type, name: str) -> None:
    """Raise Mismatch unless the value is exactly of the expected type."""
    # isinstance() would accept True as an int.
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
    actual = "a number that is not finite" if type(value) is float else json_type(value)
    raise Mismatch(f"expected a number, got {actual}")


def _integer(value: Any, _: object) -> int:
    if type(value) is int:
        return value
    actual = "a fraction" if type(value) is float else json_type(value)
    raise Mismatch(f"expected a whole number, got {actual}")


def _null(value: object, _: object) -> None:
    expect(value, NoneType, "null")


def _open_enum_hook(form: Any) -> StructureHook:
    known = known_members(form)

    def hook(value: Any, _: object) -> object:
        return known.get(string(value, _), value)

    return hook


def _open_enum_unhook(_: Any) -> UnstructureHook:
    return lambda value: value.value if isinstance(value, Enum) else value


def _unset_hook(form: Any, converter: Converter) -> StructureHook:
    present = without(form, Unset)
    inner = converter.get_structure_hook(present)
    return lambda value, _: inner(value, present)


def _list_hook(form: Any, converter: Converter) -> StructureHook:
    mutable = issubclass(get_origin(form) or form, MutableSequence)
    make = list_structure_factory if mutable else homogenous_tuple_structure_factory
    return _only(list, "a list", _bounded_members(form, make(form, converter)))


def _mapping_hook(form: Any, converter: Converter) -> StructureHook:
    return _only(
        dict, "an object", _bounded_members(form, mapping_structure_factory(form, converter))
    )


def _is_set(form: Any) -> bool:
    cls = get_origin(form) or form
    return isinstance(cls, type) and issubclass(cls, AbstractSet)


def _set_hook(form: Any, converter: Converter) -> StructureHook:
    members: Any = GenericAlias(list, get_args(form)) if get_args(form) else list
    inner = converter.get_structure_hook(members)
    make: Any = set if issubclass(get_origin(form) or form, MutableSet) else frozenset
    return lambda value, _: make(inner(value, members))


def _set_unhook(_: Any, converter: Converter) -> UnstructureHook:
    def unhook(value: Any) -> list[Any]:
        members = list(map(converter.unstructure, value))
        # The order of a set differs between processes, and equal sets must result in equal JSON.
        try:
            return sorted(members)
        except TypeError:
            return sorted(members, key=repr)

    return unhook


def _is_pair(form: Any) -> bool:
    """Whether a type is a tuple whose members have their own types."""
    return get_origin(form) is tuple and Ellipsis not in get_args(form)


def _pair_hook(form: Any, converter: Converter) -> StructureHook:
    inner = converter.gen_structure_hetero_tuple(form)
    return _only(list, "a list", _bounded_members(form, inner))


def _typed_dict_hook(form: Any, converter: Converter) -> StructureHook:
    inner = cast("Any", converter).gen_structure_typeddict(form)
    return _only(dict, "an object", _bounded_members(form, inner))


def _bounded_members(form: Any, inner: StructureHook) -> StructureHook:
    # cattrs calls no hook for the members of a list or mapping of Any.
    if get_args(form) and not any(member in _ANY_JSON for member in get_args(form)):
        return inner
    return lambda value, form: inner(bounded(value), form)


def _only(expected: type, name: str, inner: StructureHook) -> StructureHook:
    def hook(value: Any, form: Any) -> Any:
        expect(value, expected, name)
        return inner(value, form)

    return hook


def _is_literal(form: Any) -> bool:
    members = get_args(form)
    return get_origin(form) is Literal and not any(isinstance(each, Enum) for each in members)


def _literal_hook(form: Any) -> StructureHook:
    # With the types, because True equals 1.
    known: set[object] = {(type(each), each) for each in get_args(form)}

    def hook(value: Any, _: object) -> object:
        if isinstance(value, dict | list) or (type(value), value) not in known:
            raise Mismatch(f"is not one of {', '.join(map(repr, get_args(form)))}")
        return value

    return hook


def _is_tagged(form: Any) -> bool:
    members = get_args(form)
    return (
        get_origin(form) in {Union, UnionType}
        and all(map(attrs.has, members))
        and sum(not tags(cls) for cls in members) <= 1
        and _classes_by_tag(form) is not None
    )


def _classes_by_tag(form: Any) -> tuple[str, dict[object, Any]] | None:
    """The wire name of the attribute that distinguishes the classes of a union, and the classes.

    It has a Literal type with different strings in each class.
    """
    literals = [
        (wire_name(a), value, cls)
        for cls in get_args(form)
        for a in tags(cls)
        for value in get_args(a.type)
    ]
    tagged = {cls for _, _, cls in literals}
    for name in dict.fromkeys(name for name, _, _ in literals):
        own = [(value, cls) for other, value, cls in literals if other == name]
        is_string = all(type(value) is str for value, _ in own)
        if is_string and len(dict(own)) == len(own) and {cls for _, cls in own} == tagged:
            return name, dict(own)
    return None


def _tagged_hook(form: Any, converter: Converter) -> StructureHook:
    # A class without a Literal is for unknown tags.
    unknown = next((cls for cls in get_args(form) if not tags(cls)), None)
    tag_name, by_tag = cast("tuple[str, dict[object, Any]]", _classes_by_tag(form))

    hooks: dict[type, StructureHook] = {}

    def hook(value: Any, _: object) -> Any:
        expect(value, dict, "an object")
        tag = value.get(tag_name)
        cls = by_tag.get(tag, unknown) if type(tag) is str else unknown
        if cls is None:
            raise Mismatch(f"is not one of {', '.join(map(repr, by_tag))}", at=f".{tag_name}")
        if cls not in hooks:
            # Looked up on first use, because a class may contain this union, whose hook doesn't
            # exist until then.
            hooks[cls] = converter.get_structure_hook(cls)
        return hooks[cls](value, cls)

    return hook
