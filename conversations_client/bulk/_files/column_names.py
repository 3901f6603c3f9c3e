"""Compares column names with known names, for error messages. No I/O."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final, cast

from conversations_client import InvalidArgumentError

FIELDS: Final = (
    "displayName",
    "projectId",
    "metadata.entityId",
    "metadata.generatingTitle",
    "metadata.model",
)
"""The fields that can be sent, under the API's names."""
_NAME: Final = FIELDS[0]
_MAX_NAME_LENGTH: Final = 60  # characters of a column's name in an error message
# High enough that a name isn't suggested just because it is part of the unknown name.
_MIN_SIMILARITY: Final = 0.7
_SYNONYMS: Final = {
    "agent": "metadata.entityId",
    "agentid": "metadata.entityId",
    "deployment": "metadata.entityId",
    "deploymentid": "metadata.entityId",
    "entity": "metadata.entityId",
    "name": "displayName",
    "project": "projectId",
    "subject": "displayName",
    "title": "displayName",
}
"""The field that each name usually stands for."""
_INDEXES: Final = ("Unnamed: ", "__index_level_")  # the names that pandas gives an index


def check_types(columns: object, key: object, ignore: object) -> None:
    """Check the types of an import's arguments; raises InvalidArgumentError."""
    if columns is not None and not isinstance(columns, Mapping):
        raise InvalidArgumentError(
            "columns must be a dict such as {'displayName': 'title'}, "
            f"not {type(columns).__name__}."
        )
    if isinstance(ignore, str | bytes) or not isinstance(ignore, Collection):
        raise InvalidArgumentError(
            "ignore must be a list of columns, "
            f"not {'a string' if isinstance(ignore, str) else type(ignore).__name__}."
        )
    column_of = cast("Mapping[object, object]", columns or {})
    names = (*column_of, *column_of.values(), *cast("Iterable[object]", ignore))
    for name in names if key is None else (*names, key):
        if not isinstance(name, str):
            raise InvalidArgumentError(
                f"The name of a column must be a string, not {type(name).__name__}."
            )


def quoted(name: str) -> str:
    """A name for an error message: quoted, and truncated if it is long."""
    return repr(name if len(name) <= _MAX_NAME_LENGTH else f"{name[:_MAX_NAME_LENGTH]}…")


def is_index(column: str) -> bool:
    """Whether pandas may have written a column as the index."""
    return not column or column.startswith(_INDEXES)


def mapping(column: str, fields: Sequence[str]) -> str:
    """The argument that maps a column to the most similar of these fields.

    If none is similar, the column is mapped to the display name if that is one of these fields;
    otherwise the result is empty.
    """
    field = similar_name(column, fields) or next(filter(_NAME.__eq__, fields), None)
    return f"columns={{{field!r}: {quoted(column)}}}" if field else ""


def with_similar(column: str, fields: Sequence[str]) -> str:
    """A name for an error message, with the most similar of these fields if there is one."""
    similar = similar_name(column, fields)
    return quoted(column) + ("" if similar is None else f" (did you mean {similar!r}?)")


def suggestion(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name, with a similar name if there is one."""
    similar = similar_name(name, names)
    end = "." if similar is None else f". Did you mean {similar!r}?"
    return f"{end}{about_spaces(name, similar or '')}"


def about_spaces(*names: str) -> str:
    """A sentence, after a space, if one of the names begins or ends with a space."""
    has_spaces = any(name != name.strip() for name in names)
    return " Spaces are part of a column's name." if has_spaces else ""


def similar_name(name: str, names: Iterable[str]) -> str | None:
    """The known name that a name resembles or usually stands for; None if there is none."""
    known = {_normalized(each): each for each in names}
    synonym = _SYNONYMS.get(_normalized(name))
    if synonym in known.values():
        return synonym
    matches = get_close_matches(_normalized(name), known, n=1, cutoff=_MIN_SIMILARITY)
    return known[matches[0]] if matches else None


def _normalized(name: str) -> str:
    return name.rpartition(".")[2].lower().replace("_", "").replace(" ", "")
