"""Finds the ready-made structure function of a class or union of this package."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

PACKAGE: Final = __name__.partition(".")[0]

_MODULES: Final = {
    f"{PACKAGE}.models": "structure_models",
    f"{PACKAGE}.messages": "structure_messages",
    f"{PACKAGE}.events": "structure_events",
    f"{PACKAGE}._fields.usage": "structure_events",
}
"""By the module that defines a class: the module with its function, imported when it is used."""


def function_of(cls: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - any type
    """The function that reads JSON into a class or union; None if it isn't one of this package."""
    module = _MODULES.get(getattr(cls, "__module__", ""))
    if module is None:
        return None
    functions: dict[Any, Callable[[Any], Any]] = import_module(f".{module}", __package__).FUNCTIONS
    return functions.get(cls)
