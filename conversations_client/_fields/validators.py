"""attrs validators for settings; each raises ConfigurationError."""

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from conversations_client._base.unset import UNSET
from conversations_client.errors import ConfigurationError

if TYPE_CHECKING:
    import attrs

Validator: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"

MAX_SECONDS: Final = 30 * 24 * 60 * 60  # some systems' timers overflow soon after that


def _checked(accepts: Callable[[object], bool], expected: str) -> Validator:
    def validate(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not accepts(value):
            from conversations_client._base.text import shown

            # Users pass the fields of Settings to Client as arguments.
            owner = type(instance).__name__.removesuffix("Settings")
            name = f"{owner}.{attribute.name}".removeprefix(".")
            # A string may be an API key in the wrong place.
            problem = (
                f"got {shown(value)}" if _is_harmless(value) else f"not {type(value).__name__}"
            )
            raise ConfigurationError(f"{name} must be {expected}, {problem}.")

    return validate


def _is_harmless(value: object) -> bool:
    return value is None or isinstance(value, int | float)


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def is_duration(value: object) -> TypeGuard[int | float]:
    """Whether a value is a positive number of seconds that isn't too large."""
    return isinstance(value, int | float) and _is_number(value) and 0 < value <= MAX_SECONDS


_LIMIT: Final = f"a number of seconds above 0, at most {MAX_SECONDS}, or None for no limit"
seconds_or_none: Final = _checked(lambda v: v is None or is_duration(v), _LIMIT)
seconds_or_unset: Final = _checked(lambda v: v is None or v is UNSET or is_duration(v), _LIMIT)
pause: Final = _checked(
    lambda v: is_duration(v) or (_is_number(v) and v == 0),
    f"a number of seconds from 0 to {MAX_SECONDS}",
)
count: Final = _checked(lambda v: type(v) is int and v >= 1, "a whole number, 1 or more")
function: Final = _checked(lambda v: v is None or callable(v), "a function, or None")
plain_function: Final = _checked(
    lambda v: v is None or (callable(v) and not inspect.iscoroutinefunction(v)),
    "a function that is not async (use AsyncHooks for async functions), or None",
)
flag: Final = _checked(lambda v: type(v) is bool, "True or False")
