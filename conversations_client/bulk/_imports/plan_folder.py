"""The shared folder of a partitioned import: its plan and its destination."""

import json
import uuid
from pathlib import Path
from typing import Final

from conversations_client import Client
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.atomic_file import atomic_file, create_once
from conversations_client.bulk._imports.destination import Destination, conflict_message
from conversations_client.bulk._imports.journal import Journal

_PLAN: Final = "plan.json"
_DESTINATION: Final = "destination.json"
_ADVICE: Final = "Restore it. With another folder, every row is imported again."


def load_or_create_plan(folder: Path, plan: dict[str, int]) -> dict[str, int]:
    """Load the plan from the folder; the first run saves its own there.

    Args:
        folder: The folder.
        plan: The plan to save if the folder has none.

    Raises:
        BulkError: The saved file doesn't contain a plan, or the folder has journals but no plan.
        OSError: The folder can't be written to.
    """
    path = folder / _PLAN
    if not path.exists():
        # The second check handles another process that has just saved its plan and started.
        if _has_parts(folder) and not path.exists():
            raise BulkError(
                f"The folder {folder} has the journals of an import, but its plan {path} is "
                f"missing. {_ADVICE}"
            )
        create_once(path, json.dumps(plan))
    try:
        return _parse_plan(path.read_text())
    except (ValueError, TypeError, KeyError):
        raise BulkError(f"{path} doesn't contain an import plan. {_ADVICE}") from None


def _has_parts(folder: Path) -> bool:
    """Whether a folder has journals of parts, whose names are numbers."""
    return any(each.stem.isdigit() for each in folder.glob("*.journal"))


def _parse_plan(text: str) -> dict[str, int]:
    saved = json.loads(text)
    plan = {"total": int(saved["total"]), "rows": int(saved["rows"])}
    if plan["total"] < 0 or plan["rows"] < 1:
        raise ValueError
    return plan


def bind(folder: Path, client: Client, *, change: bool) -> None:
    """Record the destination of all parts.

    Args:
        folder: The folder of the journals.
        client: The client of this part.
        change: Whether the destination may change.

    Raises:
        BulkError: A part created, or may have created, conversations at a different destination.
        OSError: The folder can't be written to.
    """
    path = folder / _DESTINATION
    salt = uuid.uuid4().hex
    if not path.exists():
        create_once(path, _to_json(salt, Destination.of(client, salt=salt)))
    difference = _difference(path, client)
    if difference is None:
        return
    if not change and _has_created(folder):
        # Another part may have recorded the same new destination in the meantime.
        difference = _difference(path, client)
        if difference is None:
            return
        raise BulkError(conflict_message(f"The folder {folder}", difference))
    with atomic_file(path) as temporary:
        temporary.write_text(_to_json(salt, Destination.of(client, salt=salt)))


def _difference(path: Path, client: Client) -> str | None:
    try:
        saved = json.loads(path.read_text())
        before = Destination.from_json(saved["destination"])
        now = Destination.of(client, salt=saved["salt"])
    except (ValueError, TypeError, KeyError):
        raise BulkError(f"{path} doesn't contain the destination of an import. {_ADVICE}") from None
    return before.other(now)


def _to_json(salt: str, destination: Destination) -> str:
    return json.dumps({"salt": salt, "destination": destination.to_json()})


def _has_created(folder: Path) -> bool:
    return any(map(_may_have_created, folder.glob("*.journal")))


def _may_have_created(path: Path) -> bool:
    try:
        with Journal(path) as journal:
            return journal.has_created()
    except BulkError:  # another process is using it
        return True
