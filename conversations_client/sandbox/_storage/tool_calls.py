"""Stores the tool calls that wait for a result."""

from collections.abc import Iterable

from .database import Database


class ToolCalls:
    """The table of pending tool calls."""

    def __init__(self, database: Database) -> None:
        """Store pending tool calls in a database.

        Args:
            database: The database.
        """
        self._database = database

    def add(self, conversation_id: str, call_ids: Iterable[str], *, task_id: str) -> None:
        """Store new pending calls; has no effect if the conversation doesn't exist.

        Args:
            conversation_id: The conversation's ID.
            call_ids: The IDs of the calls.
            task_id: The task of the response that contains the calls.
        """
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO pending_tool_call (id, conversation_id, task_id)"
                " SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM conversation WHERE id = ?)",
                [(each, conversation_id, task_id, conversation_id) for each in call_ids],
            )

    def of(self, conversation_id: str) -> dict[str, str]:
        """List a conversation's pending calls.

        Args:
            conversation_id: The conversation's ID.

        Returns:
            The task ID of each call by the call's ID, oldest first.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, task_id FROM pending_tool_call WHERE conversation_id = ? ORDER BY id",
                (conversation_id,),
            ).fetchall()
        return {row["id"]: row["task_id"] for row in rows}

    def remove(self, conversation_id: str, call_ids: Iterable[str]) -> None:
        """Remove calls that now have a result; other IDs have no effect.

        Args:
            conversation_id: The conversation's ID.
            call_ids: The IDs of the calls.
        """
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM pending_tool_call WHERE id = ? AND conversation_id = ?",
                [(call_id, conversation_id) for call_id in call_ids],
            )
