"""The cattrs hooks for attrs classes."""

from dataclasses import is_dataclass
from types import NoneType
from typing import Any, Final, get_args

import attrs
from cattrs import Converter, override
from cattrs.dispatch import StructureHook, UnstructureHook
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from conversations_client._base.unset import UNSET
from conversations_client._fields.attributes import (
    Attribute,
    attributes,
    extra_names,
    has_extra,
    is_enveloped,
    is_generic,
    is_inside_data,
    is_nullable,
    wire_name,
    without,
)

from .generated_functions import function_of
from .mismatch import Mismatch, json_type
from .nesting import bounded
from .scalar_hooks import expect

_ENVELOPE_PREFIX: Final = "\0"
"""Marks the names of an envelope after it is merged with its `data` into one dict."""


def register(converter: Converter) -> None:
    """Register the hooks on a converter."""
    converter.register_structure_hook_factory(is_dataclass, _dataclass_hook)
    converter.register_structure_hook_factory(attrs.has, _structure_hook)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook)


def _dataclass_hook(cls: Any, converter: Converter) -> StructureHook:
    inner = converter.gen_structure_attrs_fromdict(cls)

    def hook(value: Any, form: Any) -> Any:
        expect(value, dict, "an object")
        return inner(value, form)

    return hook


def _structure_hook(cls: Any, converter: Converter) -> StructureHook:
    if not converter.detailed_validation and (generated := function_of(cls)) is not None:
        return lambda value, _: generated(value)
    overrides: dict[str, Any] = {name: override(omit=True) for name in extra_names(cls)}
    for a in attributes(cls):
        overrides[a.name] = override(
            rename=_key(a, cls), struct_hook=_member_hook(a, cls, converter)
        )
    inner: StructureHook = make_dict_structure_fn(cls, converter, **overrides)
    known = {_key(a, cls) for a in attributes(cls)}
    nullable = {_key(a, cls) for a in attributes(cls) if is_nullable(a)}

    def is_extra(name: str, value: object) -> bool:
        # A nullable attribute is None even if the field is absent, so null goes into `extra`.
        return name not in known or (value is None and name in nullable)

    def hook(value: Any, form: Any) -> Any:
        expect(value, dict, "an object")
        fields = _merged(value) if is_enveloped(cls) else value
        instance = inner(fields, form)
        extra = {k: v for k, v in fields.items() if is_extra(k, v)}
        if extra and has_extra(cls):
            _set_extra(instance, cls, extra)
        return instance

    return hook


def _set_extra(instance: Any, cls: type, unknown: dict[str, Any]) -> None:
    envelope = {
        name.removeprefix(_ENVELOPE_PREFIX): unknown.pop(name)
        for name in list(unknown)
        if name.startswith(_ENVELOPE_PREFIX) and is_enveloped(cls)
    }
    object.__setattr__(instance, "extra", bounded(unknown))
    if envelope:
        object.__setattr__(instance, "envelope", bounded(envelope))


def _key(attribute: Attribute, cls: type) -> str:
    is_of_envelope = is_enveloped(cls) and not is_inside_data(attribute, cls)
    name = wire_name(attribute)
    return _ENVELOPE_PREFIX + name if is_of_envelope else name


def _merged(value: dict[str, Any]) -> dict[str, Any]:
    """An envelope and its data merged into one dict."""
    if "data" not in value:
        raise Mismatch("missing", at=".data")
    data = value["data"]
    if type(data) is not dict:
        raise Mismatch(f"expected an object, got {json_type(data)}", at=".data")
    return {**data, **{_ENVELOPE_PREFIX + name: value[name] for name in value if name != "data"}}


def _member_hook(attribute: Attribute, cls: Any, converter: Converter) -> StructureHook | None:
    """The hook for an attribute; None if cattrs chooses the right one on its own."""
    form: Any = attribute.type
    if attribute.default is None and not is_nullable(attribute):
        # A default of None means that the field may be absent, not that it may be null.
        form = without(form, NoneType)
    elif not is_generic(cls):  # cattrs doesn't replace the type variables in every type
        return None
    # Other types may contain this class, whose hook does not exist yet.
    is_leaf = not attrs.has(form) and not get_args(form)
    inner = converter.get_structure_hook(form) if is_leaf else converter.structure
    return lambda value, _: inner(value, form)


def _unstructure_hook(cls: Any, converter: Converter) -> UnstructureHook:
    inside = [a for a in attributes(cls) if is_inside_data(a, cls) or not is_enveloped(cls)]
    inner = _partial_hook(cls, inside, converter)
    if not has_extra(cls):
        return inner
    if not is_enveloped(cls):
        return lambda instance: {**instance.extra, **inner(instance)}
    outer = _partial_hook(cls, [a for a in attributes(cls) if a not in inside], converter)
    return lambda instance: {
        **instance.envelope,
        **outer(instance),
        "data": {**instance.extra, **inner(instance)},
    }


def _partial_hook(cls: Any, part: list[Attribute], converter: Converter) -> UnstructureHook:
    overrides: dict[str, Any] = {a.name: override(omit=True) for a in attrs.fields(cls)}
    # cattrs confuses the type variables of a class with those of its bases.
    member_hook = converter.unstructure if is_generic(cls) else None
    for a in part:
        optional = a.default is None or a.default is UNSET
        overrides[a.name] = override(
            rename=wire_name(a), omit_if_default=optional, unstruct_hook=member_hook
        )
    hook: UnstructureHook = make_dict_unstructure_fn(cls, converter, **overrides)
    return hook
