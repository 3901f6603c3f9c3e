"""The file formats, and the library for Parquet."""

import os
import shlex
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._text import check_path


class Format(Enum):
    """A file format, with its extensions."""

    JSONL = (".jsonl", ".ndjson")
    CSV = (".csv",)
    PARQUET = (".parquet",)


def format_of(path: str | os.PathLike[str]) -> Format:
    """The format of a file; raises BulkError for an unknown extension or an invalid path."""
    check_path(path, "file")
    suffix = Path(path).suffix.lower()
    for file_format in Format:
        if suffix in file_format.value:
            return file_format
    raise BulkError(
        f"{Path(path).name or path} has an unknown format. Its name must end in .jsonl, "
        f".ndjson, .csv or .parquet.{_json_advice(Path(path))}"
    )


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
