"""`conversations delete --file`: the conversations of a file of IDs."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TextIO, cast

from attrs import define, field

from conversations_client import Client, Deleted, DeleteOutcome, Outcomes
from conversations_client.cli._display.output import confirm, print_error, print_message
from conversations_client.cli._display.progress import Bar, progress_bar
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._option_names import describe
from conversations_client.cli._session import Session

_SHOWN_FAILURES: Final = 10
_NAMES: Final = ("_id", "id")  # of an export, and of the results of an import
_JSON_LINES: Final = (".jsonl", ".ndjson")


def delete_file(file: Path, others: Iterable[str], *, yes: bool, session: Session) -> ExitCode:
    """Delete the conversations of a file of IDs, several at once.

    Args:
        file: One ID per line; or JSON Lines or CSV, according to its extension, with a field `_id`
            or `id`.
        others: IDs to delete too.
        yes: Whether to delete without asking.
        session: The common options and the output.
    """
    ids = tuple(dict.fromkeys((*others, *_ids(file))))
    what = f"{len(ids):,} conversation{'s' * (len(ids) != 1)}"
    if not (yes or confirm(f"Delete {what} for good?")):
        return ExitCode.FAILED
    deletion = _Deletion()
    with session.client() as client:
        deletion.run(client, ids)

    def view(deleted: list[str], _now: float) -> str:
        return f"Deleted {len(deleted):,} of {what}."

    session.output.several(deletion.deleted, view)
    return deletion.worst


@define
class _Deletion:
    """What is deleted, and what went wrong."""

    deleted: list[str] = field(factory=list[str])
    failures: int = 0
    worst: ExitCode = ExitCode.DONE
    is_stopped: bool = False

    def run(self, client: Client, ids: tuple[str, ...]) -> None:
        """Delete each; continue after one that could not be deleted."""
        try:
            with (
                progress_bar(len(ids)) as bar,
                client.conversations.delete_many(self._until_stopped(ids)) as outcomes,
            ):
                self._take_all(outcomes, bar)
        except KeyboardInterrupt:
            print_message(f"Stopped. {len(self.deleted):,} of {len(ids):,} are deleted.")
            raise
        if self.failures > _SHOWN_FAILURES:
            print_error(f"{self.failures:,} could not be deleted; the first ones are above.")

    def _until_stopped(self, ids: tuple[str, ...]) -> Iterator[str]:
        for conversation_id in ids:
            if self.is_stopped:
                return
            yield conversation_id

    def _take_all(self, outcomes: Outcomes[Deleted], bar: Bar) -> None:
        """Take every outcome. After Ctrl-C, only the requests in flight are awaited."""
        try:
            self._take(outcomes, bar)
        except KeyboardInterrupt:
            self.is_stopped = True
            self._take(outcomes, bar)
            raise

    def _take(self, outcomes: Outcomes[Deleted], bar: Bar) -> None:
        for outcome in outcomes:
            self._record(outcome)
            bar.advance(outcome)

    def _record(self, outcome: DeleteOutcome) -> None:
        if isinstance(outcome, Deleted):
            self.deleted.append(outcome.conversation_id)
            return
        self.failures += 1
        self.worst = max(self.worst, exit_code(outcome.error))
        if self.failures <= _SHOWN_FAILURES:
            print_error(f"{outcome.conversation_id}: {describe(outcome.error)}")


def _ids(file: Path) -> list[str]:
    """The IDs of a file, in order; raises UsageError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            found = list(_read(opened, file.suffix.lower()))
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} can't be read: it is not UTF-8.") from None
    except (csv.Error, ValueError) as error:
        raise UsageError(f"{file} can't be read: {error}.") from None
    if not found:
        raise UsageError(f"{file} has no IDs.")
    return found


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


def _parse(text: str, place: str) -> object:
    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _check_unique([name for name, _ in pairs], place)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=check)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place} is not JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError(f"{place} is nested too deeply") from None


def _check_unique(names: Sequence[str], place: str) -> None:
    for name in _NAMES:
        if names.count(name) > 1:
            raise ValueError(f"{place} has {name} twice")


def _id_of(row: Any, place: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """The ID of a row; none for a row of an import that created nothing."""
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    values = [fields[name] for name in _NAMES if fields.get(name)]
    if len(values) > 1 and values[0] != values[1]:
        raise ValueError(f"{place} has an _id and another id: remove the one to keep")
    found = values[0] if values else None
    if isinstance(found, str):
        yield found
    elif fields.get("status", "created") == "created":
        raise ValueError(f"{place} has no _id or id")
