"""The cattrs converter of the package, which coerces nothing, and the types that it supports."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import attrs
import cattrs

from conversations_client._fields.attributes import attributes, is_type
from conversations_client.errors import Fault, InvalidArgumentError

from . import class_hooks, scalar_hooks
from .decode_errors import faults_of
from .generated_functions import function_of

# cattrs looks up the hooks of a union's members only when it converts a value.
_LAZY_IN_CATTRS: Final = frozenset({Union, UnionType})

converter: Final[cattrs.Converter] = cattrs.Converter(detailed_validation=False)
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
    """Raise InvalidArgumentError unless JSON can be converted to a type."""
    problem = _problem(form, "", [])
    if problem:
        raise InvalidArgumentError(
            f"{name} can't be {_shown(form)}: {problem}. Use attrs classes, dataclasses, dict, "
            "list, tuple, str, int, float, bool, None, Any, enums, and generic or optional types "
            "of these, such as list[int] or int | None. For any other type, register a hook with "
            "converter.register_structure_hook."
        )


def _problem(form: Any, where: str, seen: list[Any]) -> str:  # noqa: ANN401 - any type
    """Why JSON can't be converted to a type; empty if it can.

    Args:
        form: The type.
        where: The attribute that has the type, in parentheses; empty if there is none.
        seen: The types that were checked before.
    """
    if function_of(form) is not None or form in seen:
        return ""
    seen.append(form)
    own = ""
    try:
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
    if module == "cattrs.converters":
        return get_origin(form) in _LAZY_IN_CATTRS
    return module.rpartition(".")[0] == __package__


def _parts(form: Any, where: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any type
    """The types that a type consists of, each with its attribute in parentheses."""
    cls: Any = get_origin(form) or form
    if attrs.has(cls):
        parts = [(_place(cls, a.name), a.type) for a in attributes(form) if a.init]
    elif is_typeddict(cls):
        parts = [(_place(cls, name), part) for name, part in get_type_hints(cls).items()]
    elif is_dataclass(cls):
        types = get_type_hints(cls)
        parts = [(_place(cls, a.name), types[a.name]) for a in fields(cls) if a.init]
    else:
        parts = [(where, part) for part in get_args(form)]
    # The arguments of inherited type variables are not known here.
    return (each for each in parts if is_type(each[1]) and not _variables(each[1]))


def _place(cls: Any, attribute: str) -> str:  # noqa: ANN401 - a class
    return f" ({cls.__name__}.{attribute})"


def _shown(form: object) -> str:
    return getattr(form, "__name__", "") if isinstance(form, type) else str(form)


def _variables(form: object) -> tuple[object, ...]:
    variables: tuple[object, ...] = getattr(form, "__parameters__", ())
    return variables
