"""The cattrs converter of the package, which coerces nothing, and the types that it supports."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import attrs
import cattrs
from cattrs.dispatch import StructureHook

from conversations_client._fields.attributes import Attribute, attributes, is_type
from conversations_client.errors import Fault, InvalidArgumentError

from . import class_hooks, scalar_hooks
from .decode_errors import faults_of
from .generated_functions import function_of

# cattrs looks up the hooks of a union's members only when it converts a value.
_LAZY_IN_CATTRS: Final = frozenset({Union, UnionType})


class Converter(cattrs.Converter):
    """A converter that rejects an unsupported type when it converts a value.

    The base class rejects the whole class of an attribute, even if JSON lacks the attribute.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as the base class
        super().__init__(*args, **{"structure_fallback_factory": _no_hook_for, **options})


def _no_hook_for(_: object) -> StructureHook:
    return scalar_hooks.no_hook


converter: Final[cattrs.Converter] = Converter(detailed_validation=False)
"""Converts JSON to objects. Register hooks for your own types on it."""

scalar_hooks.register(converter)
class_hooks.register(converter)


def faults(value: object, cls: Any) -> tuple[Fault, ...]:  # noqa: ANN401 - any type
    """Every reason why a value does not fit a class."""
    # Collecting every fault would slow down the main converter, so this uses a copy.
    detailed: Any = converter.copy(detailed_validation=True)
    # A copy doesn't have the hooks that users registered for unions.
    detailed._union_struct_registry.update(cast("Any", converter)._union_struct_registry)  # noqa: SLF001
    try:
        detailed.structure(value, cls)
    except Exception as error:  # noqa: BLE001 - hooks that users register may raise anything
        return tuple(faults_of(error))
    return (Fault("$", f"is not a {getattr(cls, '__name__', cls)}"),)


def check_is_supported(name: str, form: Any) -> None:  # noqa: ANN401 - any type
    """Raise InvalidArgumentError unless JSON can be converted to a type.

    Optional fields are not checked: JSON may not contain them.
    """
    check: Callable[[str, Any], None] = _check_once
    try:
        hash(form)
    except TypeError:
        check = _check_once.__wrapped__
    check(name, form)


@lru_cache(maxsize=1024)  # doesn't remember failures, because users may register hooks later
def _check_once(name: str, form: Any) -> None:  # noqa: ANN401 - any type
    problem = _problem(form, "", set())
    if problem:
        raise InvalidArgumentError(
            f"{name} can't be {_shown(form)}: {problem}. Use attrs classes, dataclasses, dict, "
            "list, tuple, str, int, float, bool, None, Any, enums, and generic or optional types "
            "of these, such as list[int] or int | None. For any other type, register a hook with "
            "converter.register_structure_hook."
        )


def _problem(form: Any, where: str, seen: set[Any]) -> str:  # noqa: ANN401 - any type
    """Why JSON can't be converted to a type; empty if it can.

    Args:
        form: The type.
        where: The attribute that has the type, in parentheses; empty if there is none.
        seen: The types that were checked before.
    """
    if function_of(form) is not None:
        return ""
    own = ""
    try:
        if form in seen:
            return ""
        seen.add(form)
        hook = converter.get_structure_hook(form)
        if hook is scalar_hooks.no_hook:
            hook(None, form)
        if not _looks_up_later(hook, form):
            return ""
    except cattrs.StructureHandlerNotFoundError as error:
        own = f"JSON can't be converted to {_shown(error.type_)}{where}"
    except Exception as error:  # noqa: BLE001 - factories of hooks that users register may raise anything
        return f"{error}{where}"  # about types, because there is no value yet
    problems = (_problem(inner, place, seen) for place, inner in _parts(form, where))
    return next(filter(None, problems), own)


def _looks_up_later(hook: object, form: object) -> bool:
    """Whether a hook looks up the hooks of the type's parts only when it converts a value."""
    module = str(getattr(hook, "__module__", ""))
    if module.startswith("cattrs."):
        return get_origin(form) in _LAZY_IN_CATTRS or _named_type(form) is not None
    return module.rpartition(".")[0] == __package__


def _named_type(form: Any) -> Any:  # noqa: ANN401 - any type
    """The type that a NewType, an alias or an annotation stands for; None for other types."""
    if get_origin(form) in {Annotated, Final}:
        return get_args(form)[0]
    return getattr(form, "__supertype__", None) or getattr(form, "__value__", None)


def _parts(form: Any, where: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any type
    """The types of a type's required parts, each with its attribute in parentheses."""
    cls: Any = get_origin(form) or form
    if attrs.has(cls):
        parts = [(_place(cls, a.name), a.type) for a in _required(form)]
    elif is_typeddict(cls):
        types = get_type_hints(cls)
        parts = [
            (_place(cls, name), types[name]) for name in types if name in cls.__required_keys__
        ]
    elif is_dataclass(cls):
        types = get_type_hints(cls)
        parts = [
            (_place(cls, a.name), types[a.name])
            for a in fields(cls)
            if a.init and a.default is MISSING and a.default_factory is MISSING
        ]
    else:
        named = _named_type(form)
        parts = [(where, part) for part in ([named] if named else get_args(form))]
    # The arguments of inherited type variables are not known here.
    return (each for each in parts if is_type(each[1]) and not _variables(each[1]))


def _required(form: Any) -> Iterator[Attribute]:  # noqa: ANN401 - an attrs class
    return (a for a in attributes(form) if a.init and a.default is attrs.NOTHING)


def _place(cls: Any, attribute: str) -> str:  # noqa: ANN401 - a class
    return f" ({cls.__name__}.{attribute})"


def _shown(form: object) -> str:
    return getattr(form, "__name__", "") if isinstance(form, type) else str(form)


def _variables(form: object) -> tuple[object, ...]:
    variables: tuple[object, ...] = getattr(form, "__parameters__", ())
    return variables
