"""The cattrs converter of the package, which coerces nothing."""

from typing import Any, Final

import cattrs

from conversations_client.errors import Fault

from . import class_hooks, scalar_hooks
from .decode_errors import faults_of

converter: Final[cattrs.Converter] = cattrs.Converter(detailed_validation=False)
"""Converts JSON to objects. Register hooks for your own types on it."""

scalar_hooks.register(converter)
class_hooks.register(converter)


def faults(value: object, cls: Any) -> tuple[Fault, ...]:  # noqa: ANN401 - any type
    """Every reason why a value does not fit a class."""
    # Collecting every fault would slow down the main converter, so this uses a copy.
    try:
        converter.copy(detailed_validation=True).structure(value, cls)
    except Exception as error:  # noqa: BLE001 - hooks that users register may raise anything
        return tuple(faults_of(error))
    return (Fault("$", f"is not a {getattr(cls, '__name__', cls)}"),)
