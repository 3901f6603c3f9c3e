"""The file formats, and the library for Parquet."""

import os
import shlex
from collections.abc import Iterable
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._text import check_path


class Format(Enum):
    """A file format, with its extensions."""

    JSONL = (".jsonl", ".ndjson")
    CSV = (".csv",)
    PARQUET = (".parquet",)


TABS: Final = ".tsv"
"""The extension of a CSV file whose cells are separated by tabs. It can only be read."""
SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""The characters that can separate the cells of CSV, in order of precedence, and their names."""
_NAMES: Final = {
    Format.JSONL: ".jsonl or .ndjson (JSON Lines)",
    Format.CSV: ".csv (CSV)",
    Format.PARQUET: ".parquet (Parquet)",
}


def import_format(path: str | os.PathLike[str]) -> Format:
    """The format of a file to read; raises BulkError for an unknown extension or invalid path."""
    file_format = _known_format(path)
    if file_format is None and Path(path).suffix.lower() == TABS:
        return Format.CSV
    if file_format is None:
        *others, parquet = _NAMES.values()
        names = [*others, f"{TABS} (tab-separated)", parquet]
        raise BulkError(f"{_unknown_format(path, names)}{_json_advice(Path(path))}")
    return file_format


def export_format(
    path: str | os.PathLike[str], *, messages: bool = False, escape: bool = False
) -> Format:
    """The format of a file to write.

    The options only determine the formats in the error message; `writer` checks them.

    Args:
        path: The file.
        messages: Whether the file must store messages.
        escape: Whether formulas must be escaped.

    Raises:
        BulkError: The extension is unknown or the path is invalid.
    """
    file_format = _known_format(path)
    if file_format is None:
        can_store = {
            Format.JSONL: not escape,
            Format.CSV: not messages,
            Format.PARQUET: not escape,
        }
        names = [_NAMES[each] for each, can in can_store.items() if can]
        if os.path.isdir(path):  # noqa: PTH112 - False for a name that is too long
            raise BulkError(f"{os.fspath(path)} is a folder. Add the name of a file.")
        raise BulkError(_unknown_format(path, names))
    return file_format


def _known_format(path: str | os.PathLike[str]) -> Format | None:
    check_path(path, "file")
    suffix = Path(path).suffix.lower()
    return next((each for each in Format if suffix in each.value), None)


def _unknown_format(path: str | os.PathLike[str], names: Iterable[str]) -> str:
    *others, last = names
    ends = ", or ".join(filter(None, [", ".join(others), last]))
    return f"{os.fspath(path)} has an unknown format. Its name must end in {ends}."


def _json_advice(path: Path) -> str:
    if path.suffix.lower() != ".json":
        return ""
    source, target = shlex.quote(f"./{path.name}"), shlex.quote(f"./{path.stem}.jsonl")
    command = f"jq -c '.[]' {source} > {target}"
    return f" To import a JSON array, write each row on one line, for example with: {command}"


def pyarrow() -> tuple[Any, Any]:
    """`pyarrow` and `pyarrow.parquet`; raises BulkError if they aren't installed."""
    try:
        # Imported by name because it has no types, and here because the extra may be missing.
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise BulkError(
            f"Parquet needs {error.name}, which is not installed: "
            'pip install "conversations-client[bulk]"'
        ) from None
