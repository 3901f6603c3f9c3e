"""The cattrs hooks for attrs classes."""

from types import NoneType
from typing import Any, Final, get_args

import attrs
from cattrs import Converter, override
from cattrs.dispatch import StructureHook, UnstructureHook
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from conversations_client._base.unset import UNSET

from .attributes import (
    Attribute,
    attributes,
    extra_names,
    is_enveloped,
    is_inside_data,
    is_nullable,
    keeps_extra,
    wire_name,
    without,
)
from .mismatch import Mismatch, json_type
from .nesting import bounded
from .ready_made import function_of
from .scalar_hooks import expect

_BESIDE: Final = "\0"
"""The prefix of names beside `data`, where an envelope and its data are merged into one dict."""


def register(converter: Converter) -> None:
    """Register the hooks on a converter."""
    converter.register_structure_hook_factory(attrs.has, _structure_hook)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook)


def _structure_hook(cls: Any, converter: Converter) -> StructureHook:
    if not converter.detailed_validation and (ready_made := function_of(cls)) is not None:
        return lambda value, _: ready_made(value)
    overrides: dict[str, Any] = {name: override(omit=True) for name in extra_names(cls)}
    for a in attributes(cls):
        overrides[a.name] = override(rename=_key(a, cls), struct_hook=_member_hook(a, converter))
    inner: StructureHook = make_dict_structure_fn(cls, converter, **overrides)
    known = {_key(a, cls) for a in attributes(cls)}
    nullable = {_key(a, cls) for a in attributes(cls) if is_nullable(a)}

    def is_extra(name: str, value: object) -> bool:
        # The attribute is None for null as for an absent field: only `extra` can keep the null.
        return name not in known or (value is None and name in nullable)

    def hook(value: Any, form: Any) -> Any:
        expect(value, dict, "an object")
        fields = _flat(value) if is_enveloped(cls) else value
        instance = inner(fields, form)
        extra = {k: v for k, v in fields.items() if is_extra(k, v)}
        if extra and keeps_extra(cls):
            _keep(instance, cls, extra)
        return instance

    return hook


def _keep(instance: Any, cls: type, unknown: dict[str, Any]) -> None:
    beside = {
        name.removeprefix(_BESIDE): unknown.pop(name)
        for name in list(unknown)
        if name.startswith(_BESIDE) and is_enveloped(cls)
    }
    object.__setattr__(instance, "extra", bounded(unknown))
    if beside:
        object.__setattr__(instance, "envelope", bounded(beside))


def _key(attribute: Attribute, cls: type) -> str:
    beside = is_enveloped(cls) and not is_inside_data(attribute, cls)
    return _BESIDE + wire_name(attribute) if beside else wire_name(attribute)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """An envelope and its data merged into one dict."""
    if "data" not in value:
        raise Mismatch("missing", at=".data")
    data = value["data"]
    if type(data) is not dict:
        raise Mismatch(f"expected an object, got {json_type(data)}", at=".data")
    return {**data, **{_BESIDE + name: value[name] for name in value if name != "data"}}


def _member_hook(attribute: Attribute, converter: Converter) -> StructureHook | None:
    """The hook of an attribute; None where cattrs finds the right one by itself."""
    if attribute.default is not None or is_nullable(attribute):
        return None
    # A default of None means that the field may be absent, not that it may be null.
    form = without(attribute.type, NoneType)
    # Other types may contain this class, whose hook is still being made.
    leaf = not attrs.has(form) and not get_args(form)
    inner = converter.get_structure_hook(form) if leaf else converter.structure
    return lambda value, _: inner(value, form)


def _unstructure_hook(cls: Any, converter: Converter) -> UnstructureHook:
    within = [a for a in attributes(cls) if is_inside_data(a, cls) or not is_enveloped(cls)]
    inner = _part_of(cls, within, converter)
    if not keeps_extra(cls):
        return inner
    if not is_enveloped(cls):
        return lambda instance: {**instance.extra, **inner(instance)}
    outer = _part_of(cls, [a for a in attributes(cls) if a not in within], converter)
    return lambda instance: {
        **instance.envelope,
        **outer(instance),
        "data": {**instance.extra, **inner(instance)},
    }


def _part_of(cls: Any, part: list[Attribute], converter: Converter) -> UnstructureHook:
    overrides: dict[str, Any] = {a.name: override(omit=True) for a in attrs.fields(cls)}
    for a in part:
        optional = a.default is None or a.default is UNSET
        overrides[a.name] = override(rename=wire_name(a), omit_if_default=optional)
    hook: UnstructureHook = make_dict_unstructure_fn(cls, converter, **overrides)
    return hook
