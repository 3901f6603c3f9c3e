"""JSON on the wire to attrs classes and back: the one cattrs converter, which coerces nothing."""

import json
import math
from collections.abc import MutableSequence
from enum import Enum
from functools import reduce
from types import NoneType, UnionType
from typing import Any, Final, Literal, NoReturn, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter, override
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_mapping,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,  # pyright: ignore[reportUnknownVariableType]
)
from cattrs.dispatch import StructureHook, UnstructureHook
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from ._faults import Mismatch, faults_of, json_type, wire_name
from ._nesting import deeper_than
from ._unset import UNSET, Unset
from .errors import DecodeError, Fault

T = TypeVar("T")

converter: Final = Converter(detailed_validation=False)
"""What turns JSON into the classes of this package; register hooks on it for types of your own."""


def parse(body: bytes) -> Any:
    """The value of a JSON document; raises DecodeError."""
    try:
        # RFC 8259 lets a reader skip a byte order mark.
        return _json.decode(body.removeprefix(b"\xef\xbb\xbf").decode())
    except UnicodeDecodeError:
        problem = "not UTF-8"
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at byte {error.pos} of {len(body)}"
    except Mismatch as error:
        problem = str(error)
    except ValueError:
        problem = "holds a number too long to read"
    except (RecursionError, MemoryError):
        problem = "nested too deeply"
    raise DecodeError((Fault("$", problem),))


def structure(value: object, cls: type[T]) -> T:
    """Parsed JSON as an object of `cls`; raises DecodeError, which names every fault at once.

    `cls` may be any attrs class, of this package or your own: its attributes are the snake case
    of the wire names, `attrs.field(metadata={"wire": …})` where they are not.
    """
    try:
        return converter.structure(value, cls)
    except Exception:  # noqa: BLE001 - hooks that users register may raise anything
        faults = _explain(value, cls)
    raise DecodeError(faults)


def unstructure(value: object) -> Any:
    """An object of the package's classes as the JSON that it came from, as Python values."""
    return converter.unstructure(value)


def _explain(value: object, cls: type) -> tuple[Fault, ...]:
    # A second converter, made only now: collecting every fault costs the quick path too much.
    try:
        converter.copy(detailed_validation=True).structure(value, cls)
    except Exception as error:  # noqa: BLE001 - as above
        return tuple(faults_of(error))
    return (Fault("$", f"is no {cls.__name__}"),)


def _constant(name: str) -> NoReturn:
    raise Mismatch(f"holds {name}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Mismatch("holds a number too large to read")
    return number


# Python's own recursion ends at 1000 frames, and what walks a value takes up to three a level:
# what is kept at all can so be compared, copied, pickled and printed.
_DEEPEST: Final = 100
_AS_IT_CAME: Final = (Any, object)
_APART: Final[dict[str, Any]] = {"extra": override(omit=True)}
_json: Final = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)


def _expect(value: object, expected: type, name: str) -> None:
    # Exactly, for isinstance would take True for an int.
    if type(value) is not expected:
        raise Mismatch(f"expected {name}, got {json_type(value)}")


def _string(value: Any, _: object) -> str:
    if type(value) is str:
        return value
    raise Mismatch(f"expected a string, got {json_type(value)}")


def _boolean(value: Any, _: object) -> bool:
    if type(value) is bool:
        return value
    raise Mismatch(f"expected a boolean, got {json_type(value)}")


def _integer(value: Any, _: object) -> int:
    if type(value) is int:
        return value
    found = "a fraction" if type(value) is float else json_type(value)
    raise Mismatch(f"expected a whole number, got {found}")


def _number(value: Any, _: object) -> float:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    found = "a number that is not finite" if type(value) is float else json_type(value)
    raise Mismatch(f"expected a number, got {found}")


def _null(value: object, _: object) -> None:
    _expect(value, NoneType, "null")


def _kept(value: Any, _: object) -> Any:
    if deeper_than(_DEEPEST, value):
        raise Mismatch(f"nested more than {_DEEPEST} levels deep")
    return value


converter.register_structure_hook(str, _string)
converter.register_structure_hook(bool, _boolean)
converter.register_structure_hook(int, _integer)
converter.register_structure_hook(float, _number)
converter.register_structure_hook(NoneType, _null)
# By predicate, for a hook for the class would be every class's.
converter.register_structure_hook_func(lambda form: form in _AS_IT_CAME, _kept)


def _without(form: Any, *members: Any) -> Any:
    """A union less some members; any other type as it is."""
    if get_origin(form) not in {Union, UnionType}:
        return form
    kept: list[Any] = [member for member in get_args(form) if member not in members]
    return reduce(lambda union, member: union | member, kept)


def _is_open_enum(form: Any) -> bool:
    members = get_args(form)
    return (
        get_origin(form) in {Union, UnionType}
        and len(members) == 2  # noqa: PLR2004 - the enum and str
        and str in members
        and any(isinstance(member, type) and issubclass(member, Enum) for member in members)
    )


@converter.register_structure_hook_factory(_is_open_enum)
def _open_enum_hook(form: Any) -> StructureHook:
    known: dict[str, object] = {member.value: member for member in _without(form, str)}

    def hook(value: Any, _: object) -> object:
        return known.get(_string(value, _), value)

    return hook


@converter.register_unstructure_hook_factory(_is_open_enum)
def _open_enum_unhook(_: Any) -> UnstructureHook:
    return lambda value: value.value if isinstance(value, Enum) else value


@converter.register_structure_hook_factory(lambda form: Unset in get_args(form))
def _unset_hook(form: Any, converter: Converter) -> StructureHook:
    given = _without(form, Unset)
    inner = converter.get_structure_hook(given)
    return lambda value, _: inner(value, given)


@converter.register_structure_hook_factory(is_sequence)
def _list_hook(form: Any, converter: Converter) -> StructureHook:
    mutable = issubclass(get_origin(form) or form, MutableSequence)
    make = list_structure_factory if mutable else homogenous_tuple_structure_factory
    return _only(list, "a list", _keeping(form, make(form, converter)))


@converter.register_structure_hook_factory(is_mapping)
def _mapping_hook(form: Any, converter: Converter) -> StructureHook:
    return _only(dict, "an object", _keeping(form, mapping_structure_factory(form, converter)))


def _keeping(form: Any, inner: StructureHook) -> StructureHook:
    # cattrs asks no hook for the members of a list or mapping of anything.
    if get_args(form) and not any(member in _AS_IT_CAME for member in get_args(form)):
        return inner
    return lambda value, form: inner(_kept(value, form), form)


def _only(expected: type, name: str, inner: StructureHook) -> StructureHook:
    def hook(value: Any, form: Any) -> Any:
        _expect(value, expected, name)
        return inner(value, form)

    return hook


def _tags(cls: Any) -> "list[attrs.Attribute[Any]]":
    return [a for a in _attributes(cls) if get_origin(a.type) is Literal]


def _is_tagged(form: Any) -> bool:
    members = get_args(form)
    return (
        get_origin(form) in {Union, UnionType}
        and all(map(attrs.has, members))
        and sum(not _tags(cls) for cls in members) == 1
    )


@converter.register_structure_hook_factory(_is_tagged)
def _tagged_hook(form: Any, converter: Converter) -> StructureHook:
    # The classes are told apart by the attribute whose type is a Literal; the one class that has
    # none is for the tags that nobody knows.
    (unknown,) = (cls for cls in get_args(form) if not _tags(cls))
    by_tag = {
        value: cls for cls in get_args(form) for a in _tags(cls) for value in get_args(a.type)
    }
    (tag_name,) = {wire_name(a) for cls in get_args(form) for a in _tags(cls)}

    def hook(value: Any, _: object) -> Any:
        _expect(value, dict, "an object")
        tag = value.get(tag_name)
        cls = by_tag.get(tag, unknown) if type(tag) is str else unknown
        return converter.structure(value, cls)

    return hook


@converter.register_structure_hook_factory(attrs.has)
def _object_hook(cls: Any, converter: Converter) -> StructureHook:
    attributes = _attributes(cls)
    overrides: dict[str, Any] = {
        a.name: override(rename=wire_name(a), struct_hook=_member_hook(a, converter))
        for a in attributes
    }
    inner: StructureHook = make_dict_structure_fn(cls, converter, **overrides | _APART)
    if not any(a.name == "extra" for a in attributes):
        return _only(dict, "an object", inner)
    known = {wire_name(a) for a in attributes}

    def hook(value: Any, form: Any) -> Any:
        _expect(value, dict, "an object")
        instance = inner(value, form)
        if not value.keys() <= known:
            extra = {name: value[name] for name in value if name not in known}
            object.__setattr__(instance, "extra", _kept(extra, form))
        return instance

    return hook


def _attributes(cls: Any) -> "tuple[attrs.Attribute[Any], ...]":
    found: tuple[attrs.Attribute[Any], ...] = attrs.fields(
        attrs.resolve_types(get_origin(cls) or cls)
    )
    return found


def _member_hook(attribute: "attrs.Attribute[Any]", converter: Converter) -> StructureHook | None:
    """None for what cattrs finds by itself."""
    if attribute.default is not None:
        return None
    # None by default means "may be absent"; that null may stand there is not said.
    form = _without(attribute.type, NoneType)
    # Whatever has members may lead back to this very class, whose hook is only being made.
    leaf = not attrs.has(form) and not get_args(form)
    inner = converter.get_structure_hook(form) if leaf else converter.structure
    return lambda value, _: inner(value, form)


@converter.register_unstructure_hook_factory(attrs.has)
def _object_unhook(cls: Any, converter: Converter) -> UnstructureHook:
    attributes = _attributes(cls)
    overrides: dict[str, Any] = {
        a.name: override(
            rename=wire_name(a), omit_if_default=a.default is None or a.default is UNSET
        )
        for a in attributes
    }
    inner: UnstructureHook = make_dict_unstructure_fn(cls, converter, **overrides | _APART)
    if not any(a.name == "extra" for a in attributes):
        return inner
    return lambda instance: {**instance.extra, **inner(instance)}
