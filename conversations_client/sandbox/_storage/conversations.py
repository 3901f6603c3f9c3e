"""Stores conversations."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve, frozen

from .database import Database
from .ids import Ids
from .records import Conversation

DEFAULT_NAME: Final = "Untitled"

# Sorts after every ID, because no character of an ID sorts after a tilde.
_AFTER_THE_NEWEST: Final = "conv_~"


@frozen
class EntityFilter:
    """Selects the conversations of one entity; None selects those without an entity."""

    entity_id: str | None


class Conversations:
    """The table of conversations."""

    def __init__(
        self, database: Database, ids: Ids, *, clock: Callable[[], int], user_id: str
    ) -> None:
        """Store conversations in a database.

        Args:
            database: The database.
            ids: Generates the IDs of new conversations.
            clock: Returns Unix time in milliseconds.
            user_id: The user who creates and updates the conversations.
        """
        self._database = database
        self._ids = ids
        self._clock = clock
        self._user_id = user_id

    def create(
        self, *, display_name: str | None, metadata: Mapping[str, object] | None
    ) -> Conversation:
        """Store a new conversation.

        Args:
            display_name: Its name; None for the default name, which `generate-name` can replace.
            metadata: Its metadata, with wire names; None for no metadata.

        Returns:
            The stored conversation.
        """
        with self._database.transaction() as connection:
            now = self._clock()
            conversation = Conversation(
                id=self._ids.new("conv"),
                display_name=DEFAULT_NAME if display_name is None else display_name,
                named=display_name not in {None, DEFAULT_NAME},
                created_at=now,
                updated_at=now,
                created_by_id=self._user_id,
                updated_by_id=self._user_id,
                metadata=metadata,
            )
            _write(connection, conversation)
        return conversation

    def find(self, conversation_id: str) -> Conversation | None:
        """Look up a conversation.

        Args:
            conversation_id: Its ID.

        Returns:
            The conversation; None if it doesn't exist.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM conversation WHERE id = ?", (conversation_id,)
            ).fetchone()
        return None if row is None else Conversation.from_row(row)

    def older_than(
        self, cursor: str | None, *, entity: EntityFilter | None, limit: int
    ) -> tuple[list[Conversation], bool]:
        """List the conversations that are older than a cursor.

        Args:
            cursor: A conversation ID; None starts with the newest conversation.
            entity: Selects the conversations of one entity; None selects all.
            limit: The maximum number of conversations to return.

        Returns:
            The conversations, newest first, and whether there are older ones.
        """
        rows = self._select(entity, "id < ? ORDER BY id DESC", cursor or _AFTER_THE_NEWEST, limit)
        return [Conversation.from_row(row) for row in rows[:limit]], len(rows) > limit

    def newer_than(
        self, cursor: str, *, entity: EntityFilter | None, limit: int
    ) -> tuple[list[Conversation], bool]:
        """List the conversations that are newer than a cursor and closest to it.

        Args:
            cursor: A conversation ID.
            entity: Selects the conversations of one entity; None selects all.
            limit: The maximum number of conversations to return.

        Returns:
            The conversations, newest first, and whether there are newer ones.
        """
        rows = self._select(entity, "id > ? ORDER BY id", cursor, limit)
        return [Conversation.from_row(row) for row in reversed(rows[:limit])], len(rows) > limit

    def update(
        self, conversation_id: str, *, display_name: str | None, metadata: Mapping[str, object]
    ) -> Conversation | None:
        """Change the given fields.

        Args:
            conversation_id: The conversation's ID.
            display_name: The new name; None keeps the name.
            metadata: The metadata fields to change, with wire names.

        Returns:
            The updated conversation; None if it doesn't exist.
        """
        with self._database.transaction() as connection:
            conversation = self.find(conversation_id)
            if conversation is None or (display_name is None and not metadata):
                return conversation
            conversation = evolve(
                conversation,
                display_name=conversation.display_name if display_name is None else display_name,
                named=conversation.named or display_name is not None,
                updated_at=self._clock(),
                updated_by_id=self._user_id,
                metadata={**(conversation.metadata or {}), **metadata}
                if metadata
                else conversation.metadata,
            )
            _write(connection, conversation)
        return conversation

    def delete(self, conversation_id: str) -> bool:
        """Delete a conversation and its messages.

        Args:
            conversation_id: Its ID.

        Returns:
            Whether it existed.
        """
        with self._database.transaction() as connection:
            deleted = connection.execute(
                "DELETE FROM conversation WHERE id = ?", (conversation_id,)
            )
        return deleted.rowcount == 1

    def _select(
        self, entity: EntityFilter | None, condition: str, cursor: str, limit: int
    ) -> list[sqlite3.Row]:
        """Read one more row than the limit, to see whether there are more."""
        where, values = ("", ()) if entity is None else ("entity_id IS ? AND ", (entity.entity_id,))
        with self._database.reading() as connection:
            return connection.execute(
                f"SELECT * FROM conversation WHERE {where}{condition} LIMIT ?",  # noqa: S608 - constants
                (*values, cursor, limit + 1),
            ).fetchall()


def _write(connection: sqlite3.Connection, conversation: Conversation) -> None:
    """Insert a conversation, or overwrite the one with the same ID."""
    # REPLACE would delete the row first, and the conversation's messages with it.
    connection.execute(
        "INSERT INTO conversation (id, display_name, named, created_at, updated_at,"
        " created_by_id, updated_by_id, entity_id, metadata)"
        " VALUES (:id, :display_name, :named, :created_at, :updated_at,"
        " :created_by_id, :updated_by_id, :entity_id, :metadata)"
        " ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name,"
        " named = excluded.named, updated_at = excluded.updated_at,"
        " updated_by_id = excluded.updated_by_id, entity_id = excluded.entity_id,"
        " metadata = excluded.metadata",
        conversation.to_row(),
    )
