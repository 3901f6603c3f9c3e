"""What has become of every row, as a file."""

import json
import os
from collections.abc import Iterable
from typing import Any

from conversations_client.bulk._atomic_file import atomic_file
from conversations_client.bulk._journal import Entry, State


def write_results(entries: Iterable[Entry], path: str | os.PathLike[str]) -> None:
    """Write what has become of every row, as JSON Lines.

    Args:
        entries: What has, such as `journal.entries()`, which is in the order of the rows.
        path: The file, which is replaced.

    Raises:
        OSError: It can't be written.
    """
    with atomic_file(path) as part, part.open("w", encoding="utf-8") as file:
        for entry in entries:
            file.write(f"{json.dumps(_result(entry), ensure_ascii=True)}\n")


def _result(entry: Entry) -> dict[str, Any]:
    detail = "id" if entry.state is State.CREATED else "error"
    return {"row": entry.number, "status": str(entry.state), detail: entry.detail or None}
