"""`conversations delete --file`: deletes the conversations in a file of IDs."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TextIO, cast

from conversations_client import DeleteOutcome, Failed
from conversations_client.cli._commands.deletion import Attempt, Deletion
from conversations_client.cli._display.output import confirm
from conversations_client.cli._display.progress import progress_bar
from conversations_client.cli._exit_codes import ExitCode, UsageError
from conversations_client.cli._session import Session

_ID_FIELDS: Final = ("_id", "id")  # in exports, and in the results of imports
_JSON_LINES: Final = (".jsonl", ".ndjson")


def delete_file(file: Path, others: Iterable[str], *, yes: bool, session: Session) -> ExitCode:
    """Delete the conversations of a file of IDs, several at once.

    Args:
        file: One ID per line; or JSON Lines or CSV, according to its extension, with a field `_id`
            or `id`.
        others: More IDs to delete.
        yes: Whether to delete without confirmation.
        session: The common options and the output.
    """
    ids = tuple(dict.fromkeys((*others, *_ids(file))))
    count = f"{len(ids):,} conversation{'s' * (len(ids) != 1)}"
    if not (yes or confirm(f"Delete {count} for good?")):
        return ExitCode.FAILED
    deletion = Deletion()
    with (
        session.client() as client,
        deletion.summary(len(ids)),
        progress_bar(len(ids)) as bar,
        client.conversations.delete_many(deletion.until_stopped(ids)) as outcomes,
    ):
        deletion.record_all(map(_attempt, outcomes), bar.advance)

    def view(deleted: list[str], _now: float) -> str:
        return f"Deleted {len(deleted):,} of {count}."

    session.output.several(deletion.deleted, view)
    return deletion.worst


def _attempt(outcome: DeleteOutcome) -> Attempt:
    return outcome.conversation_id, outcome.error if isinstance(outcome, Failed) else None


def _ids(file: Path) -> list[str]:
    """The IDs of a file, in order; raises UsageError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            ids = list(_read(text, file.suffix.lower()))
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} can't be read: it is not UTF-8.") from None
    except (csv.Error, ValueError) as error:
        raise UsageError(f"{file} can't be read: {error}.") from None
    if not ids:
        raise UsageError(f"{file} has no IDs.")
    return ids


def _read(file: TextIO, suffix: str) -> Iterator[str]:
    if suffix == ".parquet":
        raise ValueError("IDs must be in a text file, CSV or JSON Lines")
    if suffix == ".csv":
        rows = csv.DictReader(file, strict=True)
        _check_unique(rows.fieldnames or (), "the header")
        for number, row in enumerate(rows, 1):
            yield from _id_of(row, f"row {number}")
        return
    for number, line in enumerate(file, 1):
        text = line.strip()
        if text and suffix in _JSON_LINES:
            yield from _id_of(_parse(text, f"line {number}"), f"line {number}")
        elif text:
            yield text


def _parse(text: str, location: str) -> object:
    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _check_unique([name for name, _ in pairs], location)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=check)
    except json.JSONDecodeError as error:
        raise ValueError(f"{location} is not JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError(f"{location} is nested too deeply") from None


def _check_unique(names: Sequence[str], location: str) -> None:
    for name in _ID_FIELDS:
        if names.count(name) > 1:
            raise ValueError(f"{location} has {name} twice")


def _id_of(row: Any, location: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """The ID of a row, or nothing for an import's row that was not created."""
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    values = [fields[name] for name in _ID_FIELDS if fields.get(name)]
    if len(values) > 1 and values[0] != values[1]:
        raise ValueError(f"{location} has an _id and another id: remove the one to keep")
    conversation_id = values[0] if values else None
    if isinstance(conversation_id, str):
        yield conversation_id
    elif fields.get("status", "created") == "created":
        raise ValueError(f"{location} has no _id or id")
