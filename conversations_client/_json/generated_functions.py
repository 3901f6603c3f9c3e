"""Looks up the generated structure function of a class or union of this package."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeAlias

from conversations_client._base.lazy_imports import lazy_import

PACKAGE: Final = __name__.partition(".")[0]

_MODULES: Final = {
    f"{PACKAGE}.models": "structure_models",
    f"{PACKAGE}.messages": "structure_messages",
    f"{PACKAGE}.events": "structure_events",
    f"{PACKAGE}._fields.usage": "structure_events",
}
"""The module with the functions, by the module that defines the classes; imported on first use."""


def function_of(cls: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - any type
    """The function that converts JSON to a class or union; None if it isn't from this package."""
    module = _MODULES.get(getattr(cls, "__module__", ""))
    if module is None:
        return None
    functions = _imported.get(module)
    if functions is None:
        functions = _imported[module] = _functions(f"{__package__}.{module}")
    return functions.get(cls)


_Functions: TypeAlias = dict[Any, Callable[[Any], Any]]
_imported: Final[dict[str, _Functions]] = {}


def _functions(module: str) -> _Functions:
    lazy_import(module)
    functions: _Functions = import_module(module).FUNCTIONS
    return functions
