"""The hooks for attrs classes: JSON objects to instances and back."""

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
    is_enveloped,
    keeping,
    keeps_extra,
    lies_within,
    wire_name,
)
from .codegen import generated_hook, is_generated
from .decode_errors import Mismatch, json_type
from .scalar_hooks import expect, unknown_fields, without

_BESIDE: Final = "\0"
"""Leads the names of what lies beside `data`, where both lie in one dict."""


def register(converter: Converter) -> None:
    """Teach a converter attrs classes."""
    converter.register_structure_hook_factory(attrs.has, _structure_hook)
    converter.register_unstructure_hook_factory(attrs.has, _unstructure_hook)


def _structure_hook(cls: Any, converter: Converter) -> StructureHook:
    if is_generated(cls) and not converter.detailed_validation:
        return generated_hook(cls, converter)
    overrides: dict[str, Any] = {name: override(omit=True) for name in keeping(cls)}
    for a in attributes(cls):
        overrides[a.name] = override(rename=_key(a, cls), struct_hook=_member_hook(a, converter))
    inner: StructureHook = make_dict_structure_fn(cls, converter, **overrides)
    known = {_key(a, cls) for a in attributes(cls)}

    def hook(value: Any, form: Any) -> Any:
        expect(value, dict, "an object")
        fields = _flat(value) if is_enveloped(cls) else value
        instance = inner(fields, form)
        if keeps_extra(cls) and not fields.keys() <= known:
            _keep(instance, cls, {k: v for k, v in fields.items() if k not in known})
        return instance

    return hook


def _keep(instance: Any, cls: type, unknown: dict[str, Any]) -> None:
    beside = {
        name.removeprefix(_BESIDE): unknown.pop(name)
        for name in list(unknown)
        if name.startswith(_BESIDE) and is_enveloped(cls)
    }
    object.__setattr__(instance, "extra", unknown_fields(unknown))
    if beside:
        object.__setattr__(instance, "envelope", unknown_fields(beside))


def _key(attribute: Attribute, cls: type) -> str:
    beside = is_enveloped(cls) and not lies_within(attribute, cls)
    return _BESIDE + wire_name(attribute) if beside else wire_name(attribute)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """An envelope and its data in one object."""
    if "data" not in value:
        raise Mismatch("missing", at=".data")
    data = value["data"]
    if type(data) is not dict:
        raise Mismatch(f"expected an object, got {json_type(data)}", at=".data")
    return {**data, **{_BESIDE + name: value[name] for name in value if name != "data"}}


def _member_hook(attribute: Attribute, converter: Converter) -> StructureHook | None:
    """None for what cattrs finds by itself."""
    if attribute.default is not None:
        return None
    # None by default means "may be absent"; that null may stand there is not said.
    form = without(attribute.type, NoneType)
    # Whatever has members may lead back to this very class, whose hook is only being made.
    leaf = not attrs.has(form) and not get_args(form)
    inner = converter.get_structure_hook(form) if leaf else converter.structure
    return lambda value, _: inner(value, form)


def _unstructure_hook(cls: Any, converter: Converter) -> UnstructureHook:
    within = [a for a in attributes(cls) if lies_within(a, cls) or not is_enveloped(cls)]
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
