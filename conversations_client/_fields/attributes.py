"""Maps the attributes of attrs classes to the fields of JSON objects."""

from enum import Enum
from functools import reduce
from types import UnionType
from typing import Any, Literal, NewType, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs

from conversations_client.errors import InvalidArgumentError

from .field_metadata import NULLABLE

Attribute: TypeAlias = "attrs.Attribute[Any]"


def is_type(form: object) -> bool:
    """Whether an object is a class or another type, such as `list[str]`."""
    # Python 3.12 and typing_extensions have different classes for aliases.
    is_alias = type(form).__name__ == "TypeAliasType"
    return isinstance(form, type | NewType) or get_origin(form) is not None or is_alias


def check_is_type(name: str, form: object) -> None:
    """Raise InvalidArgumentError unless an argument is a class or another type."""
    if form is None:
        raise InvalidArgumentError(f"{name} can't be None: if there is no value, pass type(None).")
    if not is_type(form):
        raise InvalidArgumentError(
            f"{name} must be a class, such as dict or your own attrs class, not "
            f"{type(form).__name__}: pass the class itself, not its name or an instance."
        )


def attributes(cls: type) -> tuple[Attribute, ...]:
    """The attributes of a class that have a wire name, with their types resolved."""
    origin = get_origin(cls) or cls
    fields: tuple[Attribute, ...] = attrs.fields(attrs.resolve_types(origin))
    if is_generic(cls):
        arguments = _arguments(cls)
        fields = tuple(
            a.evolve(type=_with_arguments(a.type, arguments.get(_owner(a, origin), {})))
            for a in fields
        )
    return tuple(a for a in fields if a.name not in extra_names(cls))


def is_generic(cls: Any) -> bool:  # noqa: ANN401 - a class
    """Whether a class or one of its bases has type variables."""
    return hasattr(get_origin(cls) or cls, "__orig_bases__")


def _arguments(cls: Any) -> dict[type, dict[Any, Any]]:  # noqa: ANN401 - a class
    """The arguments of the type variables of a class and of each of its bases."""
    origin: type = get_origin(cls) or cls
    arguments: dict[Any, dict[Any, Any]] = {origin: _arguments_of(cls, {})}
    for child in origin.__mro__:
        bases: tuple[Any, ...] = vars(child).get("__orig_bases__", ())
        for base in bases:
            arguments.setdefault(get_origin(base), _arguments_of(base, arguments.get(child, {})))
    return arguments


def _arguments_of(form: Any, outer: dict[Any, Any]) -> dict[Any, Any]:  # noqa: ANN401 - any type
    variables = getattr(get_origin(form), "__parameters__", ())
    values = [_with_arguments(each, outer) for each in get_args(form)]
    return dict(zip(variables, values, strict=False))


def _owner(attribute: Attribute, cls: type) -> type:
    """The class that defines an attribute, which is a base if the attribute is inherited."""
    return next(
        base
        for base in cls.__mro__
        for a in vars(base).get("__attrs_attrs__", ())
        if a.name == attribute.name and not a.inherited
    )


def _with_arguments(form: Any, arguments: dict[Any, Any]) -> Any:  # noqa: ANN401 - any type
    """A type whose type variables are replaced with their arguments, if these are known."""
    if isinstance(form, TypeVar):
        return arguments.get(form, form)
    variables = getattr(form, "__parameters__", ()) if get_origin(form) else ()
    known = any(each in arguments for each in variables)
    return form[tuple(arguments.get(each, each) for each in variables)] if known else form


def extra_names(cls: type) -> tuple[str, ...]:
    """The attributes for the unknown fields of an object and of its envelope."""
    return ("extra", "envelope") if is_enveloped(cls) else ("extra",)


def has_extra(cls: type) -> bool:
    """Whether a class has an attribute for unknown fields."""
    return "extra" in attrs.fields_dict(get_origin(cls) or cls)


def wire_name(attribute: Attribute) -> str:
    """The wire name of an attribute, from its metadata or else its name in camelCase."""
    name: str | None = attribute.metadata.get("wire")
    if name is not None:
        return name
    head, *tail = attribute.name.split("_")
    return head + "".join(map(str.title, tail))


def is_nullable(attribute: Attribute) -> bool:
    """Whether an attribute is None both for null and for an absent field."""
    return NULLABLE in attribute.metadata


def is_enveloped(cls: type) -> bool:
    """Whether a class's attributes are inside `data`, except those of the envelope."""
    return any("envelope" in a.metadata for a in attrs.fields(get_origin(cls) or cls))


def is_inside_data(attribute: Attribute, cls: type) -> bool:
    """Whether an attribute of a class is inside `data`."""
    return is_enveloped(cls) and "envelope" not in attribute.metadata


def wire_paths(cls: type) -> dict[str, str]:
    """The path from an object to each of its attributes, keyed by attribute name."""
    return {
        a.name: f"data.{wire_name(a)}" if is_inside_data(a, cls) else wire_name(a)
        for a in attributes(cls)
    }


def tags(cls: type) -> list[Attribute]:
    """The attributes that distinguish a class from the others of its union."""
    return [a for a in attributes(cls) if get_origin(a.type) is Literal]


def without(form: Any, *members: Any) -> Any:  # noqa: ANN401 - any type
    """A union without some of its members; any other type unchanged."""
    if get_origin(form) not in {Union, UnionType}:
        return form
    remaining: list[Any] = [member for member in get_args(form) if member not in members]
    return reduce(lambda union, member: union | member, remaining)


def is_open_enum(form: Any) -> bool:  # noqa: ANN401 - any type
    """Whether a type is a union of an enum and, for unknown members, a string."""
    members = get_args(form)
    return (
        get_origin(form) in {Union, UnionType}
        and len(members) == 2  # noqa: PLR2004 - the enum and str
        and str in members
        and any(isinstance(member, type) and issubclass(member, Enum) for member in members)
    )


def known_members(form: Any) -> dict[str, Enum]:  # noqa: ANN401 - any type
    """The members of an open enum by their values."""
    return {member.value: member for member in without(form, str)}
