"""Describes invalid values of a row in the terms of its file. No I/O."""

import re
from collections.abc import Mapping
from typing import Final

_FIELDS: Final = {
    "display_name": "displayName",
    "project_id": "projectId",
    "entity_id": "metadata.entityId",
    "generating_title": "metadata.generatingTitle",
    "model": "metadata.model",
}
_ARGUMENT: Final = re.compile(rf"^(?:metadata: )?({'|'.join(_FIELDS)})\b")
_TYPES: Final = {
    "bool": "a boolean",
    "dict": "an object",
    "float": "a number",
    "int": "a number",
    "list": "an array",
    "NoneType": "null",
    "str": "a string",
    "tuple": "an array",
}
_WORDS: Final = {
    "True or False": "true or false",
    "can't be None": "can't be null",
    "omit it, or pass UNSET": "omit it",
}
_FOR_PYTHON: Final = re.compile(r" If a value may be None, .*", re.DOTALL)
_TYPE: Final = re.compile(rf"\bnot ({'|'.join(_TYPES)})\b")


def type_name(value: object) -> str:
    """The type of a value: JSON's name for it, or Python's for a type that JSON doesn't have."""
    name = type(value).__name__
    return _TYPES.get(name, name)


def in_file_terms(message: str, columns: Mapping[str, str]) -> str:
    """An error message about an argument, reworded for the column that it comes from.

    Args:
        message: The message.
        columns: The column of each field whose column has a different name.
    """
    message = _FOR_PYTHON.sub("", message)
    message = _TYPE.sub(lambda found: f"not {_TYPES[found[1]]}", message)
    for words, json_words in _WORDS.items():
        message = message.replace(words, json_words)

    def column(argument: re.Match[str]) -> str:
        field = _FIELDS[argument[1]]
        return columns.get(field, field)

    return _ARGUMENT.sub(column, message)
