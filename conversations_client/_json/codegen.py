"""A structure function for a class, generated: each value is checked and stored in a line or two.

What attrs would run for a frozen class, `object.__setattr__` for every attribute, takes longer than
all the checks together. So an instance is filled in as one of a subclass that isn't frozen, and
becomes one of the class itself at the end.
"""

from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.dispatch import StructureHook

from conversations_client._base.unset import Unset

from .attributes import Attribute, attributes, is_enveloped, keeps_extra, lies_within, wire_name
from .decode_errors import Mismatch
from .scalar_hooks import (
    boolean,
    is_open_enum,
    known_members,
    number,
    string,
    unknown_fields,
    without,
)

_REFUSED: Final[dict[object, str]] = {
    string: "x.__class__ is not str",
    boolean: "x.__class__ is not bool",
    # A float less itself is 0, but for infinities and NaN.
    number: "x.__class__ is not int and not (x.__class__ is float and x - x == 0.0)",
}
"""By the hook that it stands for: what refuses a value."""

_INDENT: Final = "    "
_PACKAGE: Final = __name__.partition(".")[0]


def is_generated(cls: type) -> bool:
    """Whether a class holds JSON of the API: frozen, slotted and without code in `__init__`."""
    return cls.__module__.partition(".")[0] == _PACKAGE and keeps_extra(cls)


def generated_hook(cls: Any, converter: Converter) -> StructureHook:
    """The hook of a class; it raises anything where the JSON doesn't fit, without saying what."""
    names: dict[str, Any] = {
        "Mismatch": Mismatch,
        "cls": cls,
        "kept": unknown_fields,
        "new": object.__new__,
    }
    names["fillable"] = type(
        cls.__name__,
        (cls,),
        {
            "__slots__": (),
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,
        },
    )
    lines = ["def structure(value, _):", *_indented(_body(cls, converter, names))]
    exec("\n".join(lines), names)  # noqa: S102 - made of this package's own names
    hook: StructureHook = names["structure"]
    return hook


def _body(cls: type, converter: Converter, names: dict[str, Any]) -> list[str]:
    lines = ["if value.__class__ is not dict: raise Mismatch", "self = new(fillable)"]
    if not is_enveloped(cls):
        lines += _object("value", "extra", list(attributes(cls)), converter, names)
    else:
        within = [a for a in attributes(cls) if lies_within(a, cls)]
        beside = [a for a in attributes(cls) if a not in within]
        lines += ["data = value['data']", "if data.__class__ is not dict: raise Mismatch"]
        lines += _object("value", "envelope", beside, converter, names, known=["data"])
        lines += _object("data", "extra", within, converter, names)
    return [*lines, "self.__class__ = cls", "return self"]


def _object(
    source: str,
    keeping: str,
    members: list[Attribute],
    converter: Converter,
    names: dict[str, Any],
    *,
    known: list[str] | None = None,
) -> list[str]:
    """The lines that read one JSON object, and keep what nobody knows of it."""
    keys = [*(known or []), *map(wire_name, members)]
    names[f"known_{source}"] = frozenset(keys)
    lines = [f"n = {len(keys)}"]
    for a in members:
        lines += _member(source, a, converter, names)
    rest = f"kept({{k: v for k, v in {source}.items() if k not in known_{source}}})"
    return [*lines, f"self.{keeping} = {{}} if len({source}) == n else {rest}"]


def _member(source: str, a: Attribute, converter: Converter, names: dict[str, Any]) -> list[str]:
    key = wire_name(a)
    reading = [f"x = {source}[{key!r}]", *_storing(a, converter, names)]
    if a.default is attrs.NOTHING:
        return reading
    names[f"default_{a.name}"] = a.default
    return [
        f"if {key!r} in {source}:",
        *_indented(reading),
        "else:",
        *_indented([f"self.{a.name} = default_{a.name}", "n -= 1"]),
    ]


def _storing(a: Attribute, converter: Converter, names: dict[str, Any]) -> list[str]:
    if get_origin(a.type) is Literal:
        return [f"if x not in {get_args(a.type)!r}: raise Mismatch", f"self.{a.name} = x"]
    form: Any = without(a.type, NoneType if a.default is None else Unset)
    nullable = NoneType in get_args(form)
    given = without(form, NoneType)
    if is_open_enum(given):
        names[f"known_{a.name}"] = known_members(given)
        return [
            f"if {_REFUSED[string]}: raise Mismatch",
            f"self.{a.name} = known_{a.name}.get(x, x)",
        ]
    refused = _REFUSED.get(converter.get_structure_hook(given)) if _is_leaf(given) else None
    if refused is not None:
        unless_null = "x is not None and " if nullable else ""
        return [f"if {unless_null}{refused}: raise Mismatch", f"self.{a.name} = x"]
    names[f"hook_{a.name}"] = _found_late(f"hook_{a.name}", converter, names)
    names[f"form_{a.name}"] = form
    return [f"self.{a.name} = hook_{a.name}(x, form_{a.name})"]


def _is_leaf(form: Any) -> bool:
    return not attrs.has(form) and not get_args(form)


def _found_late(name: str, converter: Converter, names: dict[str, Any]) -> StructureHook:
    """A hook that is looked up when it is used: it may be of this very class, only being made."""

    def hook(value: Any, form: Any) -> Any:
        found = names[name] = converter.get_structure_hook(form)
        return found(value, form)

    return hook


def _indented(lines: list[str]) -> list[str]:
    return [_INDENT + line for line in lines]
