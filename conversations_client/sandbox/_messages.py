"""The messages of conversations, in SQLite."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from conversations_client.sandbox._database import Database
from conversations_client.sandbox._ids import Ids
from conversations_client.sandbox._records import Message


class Messages:
    """Messages by the conversation they are in."""

    def __init__(
        self, database: Database, ids: Ids, *, clock: Callable[[], int], user_id: str
    ) -> None:
        """Keep messages in a database.

        Args:
            database: Where to keep them.
            ids: Gives new messages their ids.
            clock: Tells Unix time in milliseconds.
            user_id: Who creates them.
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
            conversation_id: The conversation's id.
            role: Who speaks, `user` or `assistant`.
            parts: What is said, by wire names.
            message_id: The message's id; None gives it a new one.

        Returns:
            The message as stored, None if there is no conversation of that id, or already a
            message of that id.
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
            conversation_id: The conversation's id.

        Returns:
            The messages, oldest first; none for a conversation that doesn't exist.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM message WHERE conversation_id = ? ORDER BY created_at",
                (conversation_id,),
            ).fetchall()
        return [Message.from_row(row) for row in rows]

    def _next_time(self, connection: sqlite3.Connection, conversation_id: str) -> int:
        """Tell a time past that of every message so far, as ids chosen by callers don't sort."""
        (latest,) = connection.execute(
            "SELECT max(created_at) FROM message WHERE conversation_id = ?", (conversation_id,)
        ).fetchone()
        return max(self._clock(), 0 if latest is None else latest + 1)
