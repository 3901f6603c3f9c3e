"""Describes the validation errors of a body."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


def validation_messages(body: object, validator: Draft202012Validator) -> list[str]:
    """Describe the errors of a body.

    Args:
        body: The parsed JSON.
        validator: The validator of its schema.

    Returns:
        The errors without duplicates, each with its JSON path; empty for a valid body.
    """
    instance = cast("Any", body)
    errors: Iterable[ValidationError] = validator.iter_errors(instance)  # pyright: ignore[reportUnknownMemberType]
    innermost = sorted(_innermost(errors), key=lambda error: error.json_path)
    return list(dict.fromkeys(f"{error.json_path} {_message(error)}" for error in innermost))


def _innermost(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Replace a failed `oneOf` with the errors of the alternative that matches the value's kind."""
    for error in errors:
        selected = _errors_of_kind(error)
        if selected:
            yield from _innermost(selected)
        else:
            yield error


def _errors_of_kind(error: ValidationError) -> list[ValidationError]:
    """List the errors of the alternative with the value's `kind`; empty if there is none."""
    alternatives: dict[object, list[ValidationError]] = {}
    for inner in error.context or []:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    matching = [
        errors
        for errors in alternatives.values()
        if all(inner.validator != "const" for inner in errors)
    ]
    return matching[0] if len(matching) == 1 else []


def _message(error: ValidationError) -> str:
    """Describe an error without the value, which may be long."""
    return _MESSAGES[str(error.validator)](cast("Any", error.validator_value), error)


def _type(expected: str | list[str], _error: ValidationError) -> str:
    types = [expected] if isinstance(expected, str) else expected
    return f"must be of type {_any_of(types)}"


def _required(expected: list[str], error: ValidationError) -> str:
    missing = set(expected) - set(cast("dict[str, object]", error.instance))
    return f"must have {' and '.join(sorted(missing))}"


def _pattern(_expected: str, error: ValidationError) -> str:
    return f"must be {cast('Mapping[str, object]', error.schema)['title']}"


def _one_of(expected: list[dict[str, Any]], _error: ValidationError) -> str:
    """Describe a choice between kinds, or between mutually exclusive fields."""
    kinds = [each["properties"]["kind"]["const"] for each in expected if "properties" in each]
    if kinds:
        return f"must be an object whose kind is {_any_of(kinds)}"
    fields = [name for each in expected for name in each["required"]]
    return f"must have either {_any_of(fields)}"


def _any_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


_MESSAGES: Final[Mapping[str, Callable[[Any, ValidationError], str]]] = {
    "type": _type,
    "required": _required,
    "pattern": _pattern,
    "oneOf": _one_of,
    "const": lambda expected, _error: f"must be {json.dumps(expected)}",
    "enum": lambda expected, _error: f"must be {_any_of(expected)}",
    "minLength": lambda expected, _error: f"must have at least {expected} characters",
    "maxLength": lambda expected, _error: f"must have at most {expected} characters",
}
