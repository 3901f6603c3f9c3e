"""What is wrong with a body, in words."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


def faults(body: object, check: Draft202012Validator) -> list[str]:
    """Tell what is wrong with a body.

    Args:
        body: The parsed JSON.
        check: The validator of its schema.

    Returns:
        Each fault once, led by its JSON path; none for a valid body.
    """
    instance = cast("Any", body)
    errors: Iterable[ValidationError] = check.iter_errors(instance)  # pyright: ignore[reportUnknownMemberType]
    found = sorted(_innermost(errors), key=lambda error: error.json_path)
    return list(dict.fromkeys(f"{error.json_path} {_words(error)}" for error in found))


def _innermost(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Put in the place of a failed choice what is wrong with the kind that was chosen."""
    for error in errors:
        chosen = _chosen(error)
        if chosen:
            yield from _innermost(chosen)
        else:
            yield error


def _chosen(error: ValidationError) -> list[ValidationError]:
    """List what is wrong by the one alternative whose `kind` is the value's, if there is one."""
    alternatives: dict[object, list[ValidationError]] = {}
    for inner in error.context or []:
        alternatives.setdefault(inner.schema_path[0], []).append(inner)
    fitting = [
        found
        for found in alternatives.values()
        if all(inner.validator != "const" for inner in found)
    ]
    return fitting[0] if len(fitting) == 1 else []


def _words(error: ValidationError) -> str:
    """Word a fault without the value, which may be as long as a body can be."""
    return _WORDS[str(error.validator)](cast("Any", error.validator_value), error)


def _type(expected: str | list[str], _error: ValidationError) -> str:
    kinds = [expected] if isinstance(expected, str) else expected
    return f"must be of type {_any_of(kinds)}"


def _required(expected: list[str], error: ValidationError) -> str:
    missing = set(expected) - set(cast("dict[str, object]", error.instance))
    return f"must have {' and '.join(sorted(missing))}"


def _pattern(_expected: str, error: ValidationError) -> str:
    return f"must be {cast('Mapping[str, object]', error.schema)['title']}"


def _one_of(expected: list[dict[str, Any]], _error: ValidationError) -> str:
    """Word a choice: between kinds, or between fields that exclude each other."""
    kinds = [each["properties"]["kind"]["const"] for each in expected if "properties" in each]
    if kinds:
        return f"must be an object whose kind is {_any_of(kinds)}"
    fields = [name for each in expected for name in each["required"]]
    return f"must have either {_any_of(fields)}"


def _any_of(names: Sequence[str]) -> str:
    """Join names to choose from."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


_WORDS: Final[Mapping[str, Callable[[Any, ValidationError], str]]] = {
    "type": _type,
    "required": _required,
    "pattern": _pattern,
    "oneOf": _one_of,
    "const": lambda expected, _error: f"must be {json.dumps(expected)}",
    "enum": lambda expected, _error: f"must be {_any_of(expected)}",
    "minLength": lambda expected, _error: f"must have at least {expected} characters",
    "maxLength": lambda expected, _error: f"must have at most {expected} characters",
}
