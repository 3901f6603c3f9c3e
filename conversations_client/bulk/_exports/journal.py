"""Records the state of an export with messages, so that it can be resumed."""

import json
import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final, cast

from attrs import frozen

from conversations_client.bulk._database import Database, JournalBase
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._text import without_surrogates

_APPLICATION_ID: Final = 0x436E7645  # "CnvE"
_SCHEMA: Final = """
    CREATE TABLE export (
        source TEXT NOT NULL,
        includes_others INTEGER NOT NULL DEFAULT 0,
        is_finished INTEGER NOT NULL DEFAULT 0
    ) STRICT;
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
_ADD_INCLUDES_OTHERS: Final = (
    "ALTER TABLE export ADD COLUMN includes_others INTEGER NOT NULL DEFAULT 0"
)
_BATCH: Final = 1_000  # IDs in memory


class ExportState(StrEnum):
    """The state of a conversation."""

    LISTED = "listed"
    """It has not been retrieved yet."""
    RETRIEVED = "retrieved"
    DELETED = "deleted"
    """It was deleted after it was listed."""
    FAILED = "failed"
    """It could not be retrieved; the next run tries again."""


@frozen
class Listing:
    """A listing that is not complete.

    Attributes:
        number: Its position, starting at 0.
        entity_id: The agent or deployment; None for the conversations without one.
        cursor: The ID of the last recorded conversation; None before the first page.
    """

    number: int
    entity_id: str | None
    cursor: str | None


class ExportJournal(JournalBase):
    """The state of an export with messages, as a context manager.

    Only one process can use the file at a time. The journal stores every retrieved conversation, so
    it grows as large as the exported file. No change is lost if the process is killed; a power
    failure may lose the latest changes.

    Args:
        path: The SQLite file, created if it doesn't exist.

    Raises:
        BulkError: The file is not an export journal, can't be used, or is in use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._database = _open(path)
        if self._is_finished():
            # The process that finished the export was killed before it could remove the journal.
            self._database.remove()
            self._database = _open(path)
        self._is_open = True

    def begin(self, source: str, entity_ids: Sequence[str | None]) -> bool:
        """Start an export, or resume it and retry the conversations that failed.

        Args:
            source: The URL of the service, or the caller's name for it.
            entity_ids: The entity ID of each listing, in order.

        Returns:
            Whether this call resumes an export.

        Raises:
            BulkError: The journal belongs to a different export.
        """
        found = self._database.execute("SELECT source FROM export")
        if not found:
            with self._database.transaction():
                self._database.execute("INSERT INTO export (source) VALUES (?)", (source,))
                self._database.execute_many(
                    "INSERT INTO listing (number, entity_id) VALUES (?, ?)", enumerate(entity_ids)
                )
            return False
        listed = self._database.execute("SELECT entity_id FROM listing ORDER BY number")
        before = found[0][0], *(entity_id for (entity_id,) in listed)
        if before != (source, *entity_ids):
            raise BulkError(
                f"The journal {self._database.path} belongs to a different export, of "
                f"{_described(*before)}. This export is of {_described(source, *entity_ids)}. "
                "Resume the other export with its service and entities, or delete the journal to "
                "start again."
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
        """Record a page of a listing, except conversations that are already recorded."""
        with self._database.transaction():
            self._database.execute_many(
                "INSERT OR IGNORE INTO conversation (id, state, detail) VALUES (?, ?, ?)",
                map(_listed, ids),
            )
            self._database.execute(
                "UPDATE listing SET cursor = coalesce(?, cursor) WHERE number = ?",
                (_listed(ids[-1])[0], listing.number),
            )

    def record_others(self) -> None:
        """Record that the service listed conversations of other entities."""
        self._database.execute("UPDATE export SET includes_others = 1")

    def includes_others(self) -> bool:
        """Whether the service listed conversations of other entities."""
        return (1,) in self._database.execute("SELECT includes_others FROM export")

    def complete(self, listing: Listing) -> None:
        """Record that a listing is complete."""
        self._database.execute(
            "UPDATE listing SET is_complete = 1 WHERE number = ?", (listing.number,)
        )

    def pending(self) -> Iterator[str]:
        """The IDs of the conversations to retrieve, in the order of the listings."""
        last = 0
        while rows := self._database.execute(
            "SELECT number, id FROM conversation WHERE number > ? AND state = ?"
            " ORDER BY number LIMIT ?",
            (last, ExportState.LISTED, _BATCH),
        ):
            for number, conversation_id in rows:
                last = number
                yield conversation_id

    def record(self, conversation_id: str, state: ExportState, detail: str | None = None) -> None:
        """Record the state of a conversation.

        Args:
            conversation_id: The ID of the conversation.
            state: The new state.
            detail: The conversation as JSON, or the error message if it could not be retrieved.
        """
        self._database.execute(
            "UPDATE conversation SET state = ?, detail = ? WHERE id = ?",
            (state, detail, conversation_id),
        )

    def counts(self) -> dict[ExportState, int]:
        """The number of conversations in each state."""
        found = self._database.execute("SELECT state, count(*) FROM conversation GROUP BY state")
        with self._database.decoding():
            counts = {ExportState(state): count for state, count in found}
        return dict.fromkeys(ExportState, 0) | counts

    def conversations(self) -> Iterator[dict[str, Any]]:
        """The retrieved conversations, in the order of the listings."""
        for (detail,) in self._database.stream(
            "SELECT detail FROM conversation WHERE state = ? ORDER BY number",
            (ExportState.RETRIEVED,),
        ):
            yield self._conversation(detail)

    def _conversation(self, content: str) -> dict[str, Any]:
        with self._database.decoding():
            conversation: object = json.loads(content)
            if isinstance(conversation, dict):
                return cast("dict[str, Any]", conversation)
            raise TypeError

    def sample(self, count: int) -> list[str]:
        """The IDs of the first conversations of the listings."""
        ids = self._database.execute(
            "SELECT id FROM conversation WHERE id IS NOT NULL AND state != ?"
            " ORDER BY number LIMIT ?",
            (ExportState.DELETED, count),
        )
        return [conversation_id for (conversation_id,) in ids]

    def failures(self) -> Iterator[tuple[str | None, str]]:
        """The conversations that could not be retrieved: their IDs and error messages."""
        return self._database.stream(
            "SELECT id, detail FROM conversation WHERE state = ? ORDER BY number",
            (ExportState.FAILED,),
        )

    def finish(self) -> None:
        """Record that the file was written and the journal is no longer needed."""
        self._database.execute("UPDATE export SET is_finished = 1")

    def close(self) -> None:
        """Close the journal. Closing it again has no effect.

        The journal is deleted if its export is finished or was never started.
        """
        if not self._is_open:
            return
        self._is_open = False
        if self._is_started() and not self._is_finished():
            self._database.close()
        else:
            self._database.remove()

    def _is_started(self) -> bool:
        return bool(self._database.execute("SELECT source FROM export"))

    def _is_finished(self) -> bool:
        return (1,) in self._database.execute("SELECT is_finished FROM export")


def _described(source: str, *entity_ids: str | None) -> str:
    """The conversations of an export."""
    entities = (each or "the standalone conversations" for each in entity_ids)
    return f"{', '.join(entities)} from {source}"


def _listed(conversation_id: str | None) -> tuple[str | None, ExportState, str | None]:
    """The ID, state and error message of a conversation that was listed."""
    if conversation_id is None:
        return None, ExportState.FAILED, "The service sent no ID."
    if without_surrogates(conversation_id) != conversation_id:  # no request can contain it
        return None, ExportState.FAILED, "The service sent an ID that is not text."
    return conversation_id, ExportState.LISTED, None


def _open(path: str | os.PathLike[str]) -> Database:
    database = Database(path, application_id=_APPLICATION_ID, schema=_SCHEMA, purpose="export")
    try:
        names = {name for _, name, *_ in database.execute("PRAGMA table_info(export)")}
        if "includes_others" not in names:  # an earlier version created the journal
            database.execute(_ADD_INCLUDES_OTHERS)
    except BaseException:
        database.close()
        raise
    return database
