"""Checks of settings, for attrs fields; each raises ConfigurationError."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .errors import ConfigurationError

if TYPE_CHECKING:
    import attrs

Validator: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"


def _checked(accepts: Callable[[object], bool], expected: str) -> Validator:
    def validate(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not accepts(value):
            raise ConfigurationError(
                f"{type(instance).__name__}.{attribute.name} must be {expected}, got {value!r}."
            )

    return validate


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _above(value: object, least: float) -> bool:
    return isinstance(value, int | float) and value > least


seconds: Final = _checked(lambda v: _is_number(v) and _above(v, 0), "seconds above 0")
seconds_or_none: Final = _checked(
    lambda v: v is None or (_is_number(v) and _above(v, 0)), "seconds above 0, or None for no limit"
)
pause: Final = _checked(lambda v: _is_number(v) and (v == 0 or _above(v, 0)), "seconds, 0 or more")
count: Final = _checked(lambda v: type(v) is int and v >= 1, "a whole number, 1 or more")
flag: Final = _checked(lambda v: type(v) is bool, "True or False")
