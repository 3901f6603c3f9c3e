"""Stores the messages of conversations."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from .database import Database
from .ids import Ids
from .records import Message


class Messages:
    """The table of messages."""

    def __init__(
        self, database: Database, ids: Ids, *, clock: Callable[[], int], user_id: str
    ) -> None:
        """Store messages in a database.

        Args:
            database: The database.
            ids: Generates the IDs of new messages.
            clock: Returns Unix time in milliseconds.
            user_id: The user who creates the messages.
        """
        self._database = database
        self._ids = ids
        self._clock = clock
        self._user_id = user_id

    def append(
        self,
        conversation_id: str,
        *,
        role: str,
        parts: Sequence[Mapping[str, object]],
        message_id: str | None = None,
    ) -> Message | None:
        """Store a new message at the end of a conversation.

        Args:
            conversation_id: The conversation's ID.
            role: The author's role, `user` or `assistant`.
            parts: The parts, with wire names.
            message_id: The message's ID; None generates an ID.

        Returns:
            The stored message; None if the conversation doesn't exist or the message ID is taken.
        """
        with self._database.transaction() as connection:
            message = Message(
                id=message_id or self._ids.new("msg"),
                conversation_id=conversation_id,
                created_at=self._next_time(connection, conversation_id),
                created_by_id=self._user_id,
                role=role,
                parts=parts,
            )
            inserted = connection.execute(
                "INSERT INTO message (id, conversation_id, created_at, created_by_id, role, parts)"
                " SELECT :id, :conversation_id, :created_at, :created_by_id, :role, :parts"
                " WHERE EXISTS (SELECT 1 FROM conversation WHERE id = :conversation_id)"
                " ON CONFLICT (id) DO NOTHING",
                message.to_row(),
            )
        return message if inserted.rowcount == 1 else None

    def of(self, conversation_id: str) -> list[Message]:
        """List a conversation's messages.

        Args:
            conversation_id: The conversation's ID.

        Returns:
            The messages, oldest first; empty if the conversation doesn't exist.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM message WHERE conversation_id = ? ORDER BY created_at",
                (conversation_id,),
            ).fetchall()
        return [Message.from_row(row) for row in rows]

    def _next_time(self, connection: sqlite3.Connection, conversation_id: str) -> int:
        """Return a time after all messages so far, because IDs chosen by callers don't sort."""
        (latest,) = connection.execute(
            "SELECT max(created_at) FROM message WHERE conversation_id = ?", (conversation_id,)
        ).fetchone()
        return max(self._clock(), 0 if latest is None else latest + 1)
