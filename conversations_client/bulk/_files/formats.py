"""The kinds of files, and the library for Parquet."""

import os
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

from conversations_client.bulk._errors import BulkError


class Format(Enum):
    """The kind of a file, by the end of its name."""

    JSONL = (".jsonl", ".ndjson")
    CSV = (".csv",)
    PARQUET = (".parquet",)


def format_of(path: str | os.PathLike[str]) -> Format:
    """The kind of a file; raises BulkError for an unknown one."""
    suffix = Path(path).suffix.lower()
    for kind in Format:
        if suffix in kind.value:
            return kind
    raise BulkError(
        f"{Path(path).name} is of an unknown kind: its name must end in .jsonl, .ndjson, .csv or "
        ".parquet."
    )


def pyarrow() -> tuple[Any, Any]:
    """`pyarrow` and `pyarrow.parquet`; raises BulkError if they aren't installed."""
    try:
        # By name, because it has no types; here, because its extra may be missing.
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise BulkError(
            f"Parquet needs {error.name}, which is not installed: "
            'pip install "conversations-client[bulk]"'
        ) from None
