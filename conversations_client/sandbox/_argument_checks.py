"""Checks the arguments that a test passes. Each ValueError says what to pass instead."""

import math


def whole_number(name: str, value: object, *, first: int, last: float = math.inf) -> int:
    """Check a whole number.

    Args:
        name: The argument's name.
        value: The argument.
        first: The smallest valid number.
        last: The largest valid number. Default: no limit.

    Returns:
        The number.

    Raises:
        ValueError: It isn't a whole number, or is out of range.
    """
    limits = f"{first} or more" if last == math.inf else f"from {first} to {last}"
    if type(value) is not int:
        raise ValueError(f"{name} must be a whole number, {limits}, not {_shown(value)}.")
    if not first <= value <= last:
        raise ValueError(f"{name} must be {limits}, not {value}.")
    return value


def seconds(name: str, value: object) -> float:
    """Check a number of seconds.

    Args:
        name: The argument's name.
        value: The argument.

    Returns:
        The number.

    Raises:
        ValueError: It isn't a number, or is negative or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number of seconds, not {_shown(value)}.")  # noqa: TRY004
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} must be 0 or more seconds, not {value}.")
    return value


def text(name: str, value: object) -> str:
    """Check a string.

    Args:
        name: The argument's name.
        value: The argument.

    Returns:
        The string.

    Raises:
        ValueError: It isn't a string.
    """
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string, not {_shown(value)}.")  # noqa: TRY004
    return value


def flag(name: str, value: object) -> bool:
    """Check a boolean.

    Args:
        name: The argument's name.
        value: The argument.

    Returns:
        The boolean.

    Raises:
        ValueError: It is neither True nor False.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {_shown(value)}.")  # noqa: TRY004
    return value


def _shown(value: object) -> str:
    return "None" if value is None else f"{type(value).__name__} {str(value)[:50]!r}"
