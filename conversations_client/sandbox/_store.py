"""All that the sandbox remembers, in SQLite; knows nothing of HTTP."""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final

from attrs import evolve

from conversations_client.sandbox._clock import system_clock
from conversations_client.sandbox._database import Database
from conversations_client.sandbox._ids import Ids, system_randomness
from conversations_client.sandbox._kept_answers import KeptAnswers
from conversations_client.sandbox._messages import Messages
from conversations_client.sandbox._records import Conversation

DEFAULT_NAME: Final = "Untitled"

# Sorts after every id, as no character of an id sorts after a tilde.
_PAST_THE_NEWEST: Final = "conv_~"


class Store:
    """All that the sandbox remembers; safe to use from several threads."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: Callable[[], int] = system_clock,
        randomness: Callable[[], int] = system_randomness,
    ) -> None:
        """Open the store.

        Args:
            path: The database's file; its folder must exist. None keeps everything in memory.
            clock: Tells Unix time in milliseconds.
            randomness: Draws 80 random bits.

        Raises:
            OSError: The file can't be opened, or isn't a database of the sandbox.
        """
        self._database = Database(path)
        self.clock = clock
        self.ids = Ids(self._database, clock=clock, randomness=randomness)
        self.user_id = self._stable_user_id()
        self.messages = Messages(self._database, self.ids, clock=clock, user_id=self.user_id)
        self.kept_answers = KeptAnswers(self._database, clock=clock)

    def close(self) -> None:
        """Let go of the file; again does nothing."""
        self._database.close()

    def transaction(self) -> AbstractContextManager[object]:
        """Make the calls inside all or nothing.

        Returns:
            A context that commits when it ends and undoes everything when it raises.
        """
        return self._database.transaction()

    def create(
        self, *, display_name: str | None, metadata: Mapping[str, object] | None
    ) -> Conversation:
        """Store a new conversation.

        Args:
            display_name: Its name; with None or the default one it is yet to be named.
            metadata: Its metadata by wire names; None stores none.

        Returns:
            The conversation as stored.
        """
        with self._database.transaction() as connection:
            now = self.clock()
            conversation = Conversation(
                id=self.ids.new("conv"),
                display_name=DEFAULT_NAME if display_name is None else display_name,
                named=display_name not in {None, DEFAULT_NAME},
                created_at=now,
                updated_at=now,
                created_by_id=self.user_id,
                updated_by_id=self.user_id,
                metadata=metadata,
            )
            _write(connection, conversation)
        return conversation

    def find(self, conversation_id: str) -> Conversation | None:
        """Look a conversation up.

        Args:
            conversation_id: Its id.

        Returns:
            The conversation, None if there is none of that id.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM conversation WHERE id = ?", (conversation_id,)
            ).fetchone()
        return None if row is None else Conversation.from_row(row)

    def newest(
        self, *, entity_id: str | None, limit: int, after: str | None
    ) -> tuple[list[Conversation], bool]:
        """List conversations from the newest, or from a cursor, on to older ones.

        Args:
            entity_id: Whose conversations; None for those of no entity.
            limit: The most to return.
            after: Only conversations older than this id; None starts at the newest.

        Returns:
            The conversations, newest first, and whether there are still older ones.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM conversation WHERE entity_id IS ? AND id < ?"
                " ORDER BY id DESC LIMIT ?",
                (entity_id, after or _PAST_THE_NEWEST, limit + 1),
            ).fetchall()
        return [Conversation.from_row(row) for row in rows[:limit]], len(rows) > limit

    def next_newer(
        self, *, entity_id: str | None, limit: int, before: str
    ) -> tuple[list[Conversation], bool]:
        """List the conversations that are next newer than a cursor.

        Args:
            entity_id: Whose conversations; None for those of no entity.
            limit: The most to return.
            before: Only conversations newer than this id.

        Returns:
            The conversations, newest first, and whether there are still newer ones.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM conversation WHERE entity_id IS ? AND id > ? ORDER BY id LIMIT ?",
                (entity_id, before, limit + 1),
            ).fetchall()
        return [Conversation.from_row(row) for row in reversed(rows[:limit])], len(rows) > limit

    def update(
        self, conversation_id: str, *, display_name: str | None, metadata: Mapping[str, object]
    ) -> Conversation | None:
        """Change what is given of a conversation, and only that.

        Args:
            conversation_id: Its id.
            display_name: Its new name; None leaves the name alone.
            metadata: What changes in its metadata, by wire names.

        Returns:
            The conversation as it now is, None if there is none of that id.
        """
        with self._database.transaction() as connection:
            conversation = self.find(conversation_id)
            if conversation is None or (display_name is None and not metadata):
                return conversation
            conversation = evolve(
                conversation,
                display_name=conversation.display_name if display_name is None else display_name,
                named=conversation.named or display_name is not None,
                updated_at=self.clock(),
                updated_by_id=self.user_id,
                metadata={**(conversation.metadata or {}), **metadata}
                if metadata
                else conversation.metadata,
            )
            _write(connection, conversation)
        return conversation

    def delete(self, conversation_id: str) -> bool:
        """Forget a conversation and its messages.

        Args:
            conversation_id: Its id.

        Returns:
            Whether there was one of that id.
        """
        with self._database.transaction() as connection:
            deleted = connection.execute(
                "DELETE FROM conversation WHERE id = ?", (conversation_id,)
            )
        return deleted.rowcount == 1

    def _stable_user_id(self) -> str:
        """Name the one user of this database, the same each time it is opened."""
        with self._database.transaction():
            user_id = self._database.setting("user_id")
            if user_id is None:
                user_id = self.ids.new("user")
                self._database.set_setting("user_id", user_id)
        return user_id


def _write(connection: sqlite3.Connection, conversation: Conversation) -> None:
    """Insert a conversation, or overwrite what was stored under its id."""
    # Not REPLACE, which deletes the row first and so would take its messages along.
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
