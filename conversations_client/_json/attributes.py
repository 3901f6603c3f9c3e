"""How the attributes of attrs classes lie on the wire."""

from typing import Any, Literal, TypeAlias, get_origin

import attrs

Attribute: TypeAlias = "attrs.Attribute[Any]"


def attributes(cls: type) -> tuple[Attribute, ...]:
    """The attributes of a class that have a name on the wire, their types resolved."""
    found: tuple[Attribute, ...] = attrs.fields(attrs.resolve_types(get_origin(cls) or cls))
    return tuple(a for a in found if a.name not in keeping(cls))


def keeping(cls: type) -> tuple[str, ...]:
    """The attributes that keep what a class doesn't know: of its object, and of its envelope."""
    return ("extra", "envelope") if is_enveloped(cls) else ("extra",)


def keeps_extra(cls: type) -> bool:
    """Whether a class keeps what it doesn't know of its object."""
    return "extra" in attrs.fields_dict(get_origin(cls) or cls)


def wire_name(attribute: Attribute) -> str:
    """The name that an attribute has on the wire: its own if it has one, else the camelCase."""
    name: str | None = attribute.metadata.get("wire")
    if name is not None:
        return name
    head, *tail = attribute.name.split("_")
    return head + "".join(map(str.title, tail))


def is_enveloped(cls: type) -> bool:
    """Whether a class's attributes lie inside `data`, but for some that lie beside it."""
    return any("envelope" in a.metadata for a in attrs.fields(get_origin(cls) or cls))


def lies_within(attribute: Attribute, cls: type) -> bool:
    """Whether an attribute of a class lies inside `data`."""
    return is_enveloped(cls) and "envelope" not in attribute.metadata


def wire_paths(cls: type) -> dict[str, str]:
    """The way from an object to each of its attributes, by the attributes' names."""
    return {
        a.name: f"data.{wire_name(a)}" if lies_within(a, cls) else wire_name(a)
        for a in attributes(cls)
    }


def tags(cls: type) -> list[Attribute]:
    """The attributes that tell a class from the others of its union."""
    return [a for a in attributes(cls) if get_origin(a.type) is Literal]
