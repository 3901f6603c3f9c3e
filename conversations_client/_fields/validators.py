"""attrs validators for settings; each raises ConfigurationError."""

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from conversations_client.errors import ConfigurationError

if TYPE_CHECKING:
    import attrs

Validator: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"

_MAX_SECONDS: Final = 30 * 24 * 60 * 60  # some systems' timers overflow soon after that


def _checked(accepts: Callable[[object], bool], expected: str) -> Validator:
    def validate(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not accepts(value):
            # Users pass the fields of Settings to Client as arguments.
            owner = type(instance).__name__.removesuffix("Settings")
            name = f"{owner}.{attribute.name}".removeprefix(".")
            raise ConfigurationError(f"{name} must be {expected}, got {value!r}.")

    return validate


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and _is_number(value) and 0 < value <= _MAX_SECONDS


seconds_or_none: Final = _checked(
    lambda v: v is None or _is_duration(v),
    f"a number of seconds above 0, at most {_MAX_SECONDS}, or None for no limit",
)
pause: Final = _checked(
    lambda v: _is_duration(v) or (_is_number(v) and v == 0),
    f"a number of seconds from 0 to {_MAX_SECONDS}",
)
count: Final = _checked(lambda v: type(v) is int and v >= 1, "a whole number, 1 or more")
function: Final = _checked(lambda v: v is None or callable(v), "a function, or None")
plain_function: Final = _checked(
    lambda v: v is None or (callable(v) and not inspect.iscoroutinefunction(v)),
    "a function that is not async (use AsyncHooks for async functions), or None",
)
flag: Final = _checked(lambda v: type(v) is bool, "True or False")
