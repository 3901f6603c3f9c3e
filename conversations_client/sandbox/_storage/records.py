"""The records in the database and their rows."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import frozen


@frozen(kw_only=True)
class Conversation:
    """A stored conversation; times are Unix milliseconds."""

    id: str
    display_name: str
    named: bool
    created_at: int
    updated_at: int
    created_by_id: str
    updated_by_id: str
    metadata: Mapping[str, object] | None

    @property
    def entity_id(self) -> str | None:
        """The parent agent or deployment; None for a standalone conversation."""
        return cast("str | None", (self.metadata or {}).get("entityId"))

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Conversation":
        """Convert a row of the table.

        Args:
            row: The row, with all columns.

        Returns:
            The conversation.
        """
        metadata = row["metadata"]
        return cls(
            id=row["id"],
            display_name=row["display_name"],
            named=bool(row["named"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            created_by_id=row["created_by_id"],
            updated_by_id=row["updated_by_id"],
            metadata=None if metadata is None else _loads(metadata),
        )

    def to_row(self) -> dict[str, object]:
        """Convert the conversation to a row.

        Returns:
            The value of each column by name.
        """
        return {
            "id": self.id,
            "display_name": self.display_name,
            "named": self.named,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "created_by_id": self.created_by_id,
            "updated_by_id": self.updated_by_id,
            "entity_id": self.entity_id,
            "metadata": None if self.metadata is None else json.dumps(self.metadata),
        }


@frozen(kw_only=True)
class Message:
    """A stored message; the time is in Unix milliseconds."""

    id: str
    conversation_id: str
    created_at: int
    created_by_id: str
    role: str
    parts: Sequence[Mapping[str, object]]

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Message":
        """Convert a row of the table.

        Args:
            row: The row, with all columns.

        Returns:
            The message.
        """
        return cls(
            id=row["id"],
            conversation_id=row["conversation_id"],
            created_at=row["created_at"],
            created_by_id=row["created_by_id"],
            role=row["role"],
            parts=cast("list[dict[str, object]]", _loads(row["parts"])),
        )

    def to_row(self) -> dict[str, object]:
        """Convert the message to a row.

        Returns:
            The value of each column by name.
        """
        return {
            "id": self.id,
            "conversation_id": self.conversation_id,
            "created_at": self.created_at,
            "created_by_id": self.created_by_id,
            "role": self.role,
            "parts": json.dumps(self.parts),
        }


def _loads(text: str) -> Any:  # noqa: ANN401 - any JSON
    # Earlier versions accepted 1e999 and stored Infinity, which is invalid JSON.
    return json.loads(text, parse_constant=lambda _: None)
