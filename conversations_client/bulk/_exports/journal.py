"""The state of an export with messages, so that it can be resumed."""

import json
import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self

from attrs import frozen

from conversations_client.bulk._database import Database
from conversations_client.bulk._errors import BulkError

_ID: Final = 0x436E7645  # "CnvE"
_SCHEMA: Final = """
    CREATE TABLE export (url TEXT NOT NULL, is_finished INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE listing (
        number INTEGER PRIMARY KEY,
        entity_id TEXT,
        cursor TEXT,
        is_complete INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE conversation (
        number INTEGER PRIMARY KEY,
        id TEXT UNIQUE,
        state TEXT NOT NULL,
        detail TEXT
    ) STRICT;
"""
_AT_ONCE: Final = 1_000  # IDs in memory


class ExportState(StrEnum):
    """The state of a conversation."""

    LISTED = "listed"
    """It is not retrieved yet."""
    RETRIEVED = "retrieved"
    DELETED = "deleted"
    """It was deleted after it was listed."""
    FAILED = "failed"
    """It could not be retrieved; the next run tries again."""


@frozen
class Listing:
    """A listing that is not complete.

    Attributes:
        number: Its position, from 0.
        entity_id: The agent or deployment; None for the conversations without one.
        cursor: The last conversation that is recorded; None before the first page.
    """

    number: int
    entity_id: str | None
    cursor: str | None


class ExportJournal:
    """The state of an export with messages; a context manager, for one process at a time.

    It stores everything that is retrieved, so it grows as large as the file. Each change survives
    when the process is killed; a power cut may lose the last moments.

    Args:
        path: The SQLite file; created if it doesn't exist.

    Raises:
        BulkError: The file is no journal of an export, can't be used, or is in use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._database = _open(path)
        if self._is_finished():
            # The process that finished it was killed before it could remove the journal.
            self._database.remove()
            self._database = _open(path)
        self._is_open = True

    def begin(self, url: str, entity_ids: Sequence[str | None]) -> bool:
        """Begin an export, or resume it; conversations that failed are tried again.

        Args:
            url: The service.
            entity_ids: The listings, in order.

        Returns:
            Whether an export is resumed.

        Raises:
            BulkError: The journal is that of another export.
        """
        found = self._database.execute("SELECT url FROM export")
        if not found:
            with self._database.transaction():
                self._database.execute("INSERT INTO export (url) VALUES (?)", (url,))
                self._database.execute_many(
                    "INSERT INTO listing (number, entity_id) VALUES (?, ?)", enumerate(entity_ids)
                )
            return False
        listed = self._database.execute("SELECT entity_id FROM listing ORDER BY number")
        if [*found, *listed] != [(url,), *((entity_id,) for entity_id in entity_ids)]:
            raise BulkError(
                f"The journal {self._database.path} is that of another export, from {found[0][0]}: "
                "resume it with the same service and entities, or remove it to start again."
            )
        self._database.execute(
            "UPDATE conversation SET state = ?, detail = NULL WHERE state = ? AND id IS NOT NULL",
            (ExportState.LISTED, ExportState.FAILED),
        )
        return True

    def listings(self) -> list[Listing]:
        """The listings that are not complete, in order."""
        return [
            Listing(*row)
            for row in self._database.execute(
                "SELECT number, entity_id, cursor FROM listing WHERE NOT is_complete"
                " ORDER BY number"
            )
        ]

    def record_page(self, listing: Listing, ids: Sequence[str | None]) -> None:
        """Record a page of a listing; a conversation that is recorded already is left out."""
        listed = (ExportState.LISTED, None)
        unknown = (ExportState.FAILED, "The service sent no ID.")
        with self._database.transaction():
            self._database.execute_many(
                "INSERT OR IGNORE INTO conversation (id, state, detail) VALUES (?, ?, ?)",
                [(one, *(unknown if one is None else listed)) for one in ids],
            )
            self._database.execute(
                "UPDATE listing SET cursor = coalesce(?, cursor) WHERE number = ?",
                (ids[-1], listing.number),
            )

    def complete(self, listing: Listing) -> None:
        """Record that a listing is complete."""
        self._database.execute(
            "UPDATE listing SET is_complete = 1 WHERE number = ?", (listing.number,)
        )

    def pending(self) -> Iterator[str]:
        """The IDs of the conversations to retrieve, in the order as listed."""
        last = 0
        while rows := self._database.execute(
            "SELECT number, id FROM conversation WHERE number > ? AND state = ?"
            " ORDER BY number LIMIT ?",
            (last, ExportState.LISTED, _AT_ONCE),
        ):
            for number, conversation_id in rows:
                last = number
                yield conversation_id

    def record(self, conversation_id: str, state: ExportState, detail: str | None = None) -> None:
        """Record the state of a conversation.

        Args:
            conversation_id: The conversation.
            state: Its state.
            detail: Its JSON, or the error message of a failure.
        """
        self._database.execute(
            "UPDATE conversation SET state = ?, detail = ? WHERE id = ?",
            (state, detail, conversation_id),
        )

    def counts(self) -> dict[ExportState, int]:
        """The number of conversations in each state."""
        found = dict(
            self._database.execute("SELECT state, count(*) FROM conversation GROUP BY state")
        )
        return {state: found.get(state, 0) for state in ExportState}

    def conversations(self) -> Iterator[dict[str, Any]]:
        """The retrieved conversations, in the order as listed."""
        for (detail,) in self._database.stream(
            "SELECT detail FROM conversation WHERE state = ? ORDER BY number",
            (ExportState.RETRIEVED,),
        ):
            yield json.loads(detail)

    def sample(self, count: int) -> list[str]:
        """The IDs of the conversations that were listed first."""
        found = self._database.execute(
            "SELECT id FROM conversation WHERE id IS NOT NULL AND state != ?"
            " ORDER BY number LIMIT ?",
            (ExportState.DELETED, count),
        )
        return [conversation_id for (conversation_id,) in found]

    def failures(self) -> Iterator[tuple[str | None, str]]:
        """The conversations that could not be retrieved: their IDs and error messages."""
        return self._database.stream(
            "SELECT id, detail FROM conversation WHERE state = ? ORDER BY number",
            (ExportState.FAILED,),
        )

    def finish(self) -> None:
        """Record that the file is written, so that the journal is not needed any more."""
        self._database.execute("UPDATE export SET is_finished = 1")

    def close(self) -> None:
        """Close the journal; again does nothing.

        A journal is removed if its export is finished or was never begun.
        """
        if not self._is_open:
            return
        self._is_open = False
        if self._is_begun() and not self._is_finished():
            self._database.close()
        else:
            self._database.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _is_begun(self) -> bool:
        return bool(self._database.execute("SELECT url FROM export"))

    def _is_finished(self) -> bool:
        return (1,) in self._database.execute("SELECT is_finished FROM export")


def _open(path: str | os.PathLike[str]) -> Database:
    return Database(path, application_id=_ID, schema=_SCHEMA, purpose="export")
