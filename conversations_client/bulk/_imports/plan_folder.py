"""The folder of an import in parts: its plan and its destination, the same for all processes."""

import json
import uuid
from pathlib import Path
from typing import Final

from conversations_client import Client
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.atomic_file import atomic_file, create_once
from conversations_client.bulk._imports.destination import Destination, refusal
from conversations_client.bulk._imports.journal import Journal

_PLAN: Final = "plan.json"
_DESTINATION: Final = "destination.json"


def first_plan(folder: Path, plan: dict[str, int]) -> dict[str, int]:
    """The plan of the first run, which this one may be.

    Raises:
        BulkError: The folder has another file in its place.
        OSError: The folder can't be written to.
    """
    path = folder / _PLAN
    if not path.exists():
        create_once(path, json.dumps(plan))
    try:
        found = json.loads(path.read_text())
        return {name: int(found[name]) for name in plan}
    except (ValueError, TypeError, KeyError):
        raise BulkError(f"{path} is not the plan of an import: name another folder.") from None


def bind(folder: Path, client: Client, *, change: bool) -> None:
    """Record where all parts create their rows.

    Args:
        folder: Where the journals are.
        client: The client of this part.
        change: Whether another destination is accepted.

    Raises:
        BulkError: Rows of any part were, or may have been, created at another destination.
        OSError: The folder can't be written to.
    """
    path = folder / _DESTINATION
    salt = uuid.uuid4().hex
    if not path.exists():
        create_once(path, _text(salt, Destination.of(client, salt=salt)))
    difference = _difference(path, client)
    if difference is None:
        return
    if not change and _has_created(folder):
        # Unless another part was the first to go to the new destination.
        difference = _difference(path, client)
        if difference is None:
            return
        raise BulkError(refusal(f"The folder {folder}", difference))
    with atomic_file(path) as part:
        part.write_text(_text(salt, Destination.of(client, salt=salt)))


def _difference(path: Path, client: Client) -> str | None:
    try:
        found = json.loads(path.read_text())
        before = Destination.from_json(found["destination"])
        now = Destination.of(client, salt=found["salt"])
    except (ValueError, TypeError, KeyError):
        raise BulkError(
            f"{path} is not the destination of an import: name another folder."
        ) from None
    return before.other(now)


def _text(salt: str, destination: Destination) -> str:
    return json.dumps({"salt": salt, "destination": destination.to_json()})


def _has_created(folder: Path) -> bool:
    return any(map(_is_used, folder.glob("*.journal")))


def _is_used(path: Path) -> bool:
    try:
        with Journal(path) as journal:
            return journal.has_created()
    except BulkError:  # in use right now
        return True
