"""The SQLite connection with its tables, transactions and settings."""

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from .private_file import create_private, make_private

_TABLES: Final = (
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE conversation (
        id TEXT PRIMARY KEY,
        display_name TEXT NOT NULL,
        named INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        created_by_id TEXT NOT NULL,
        updated_by_id TEXT NOT NULL,
        entity_id TEXT,
        metadata TEXT
    ) WITHOUT ROWID""",
    "CREATE INDEX conversation_by_entity ON conversation (entity_id, id)",
    """CREATE TABLE message (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        created_by_id TEXT NOT NULL,
        role TEXT NOT NULL,
        parts TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX message_by_conversation ON message (conversation_id, id)",
    """CREATE TABLE kept_answer (
        key TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        status INTEGER NOT NULL,
        body BLOB NOT NULL,
        kept_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX kept_answer_by_age ON kept_answer (kept_at)",
)
_RENAMED_RESPONSES: Final = (
    "ALTER TABLE kept_answer RENAME TO idempotent_response",
    "ALTER TABLE idempotent_response RENAME COLUMN kept_at TO stored_at",
    "DROP INDEX kept_answer_by_age",
    "CREATE INDEX idempotent_response_by_age ON idempotent_response (stored_at)",
)
_TOOL_CALLS: Final = (
    """CREATE TABLE pending_tool_call (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        task_id TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX pending_tool_call_by_conversation ON pending_tool_call (conversation_id, id)",
)
_MIGRATIONS: Final = (_TABLES, _RENAMED_RESPONSES, _TOOL_CALLS)
"""The statements that migrate each version of the file to the next."""


class Database:
    """A connection that one thread uses at a time."""

    def __init__(
        self, path: str | os.PathLike[str] | None, *, content: bytes | None = None
    ) -> None:
        """Open the database, and create or migrate its tables.

        Args:
            path: The file; its folder must exist. None stores everything in memory.
            content: The content of an in-memory database, from `content`; None if it is empty.

        Raises:
            FileNotFoundError: The file's folder doesn't exist.
            OSError: The file can't be opened, or isn't a sandbox database.
        """
        self._lock = threading.RLock()
        if path is not None:
            create_private(path)
        self._is_in_memory = path is None
        self._is_open = True
        self._connection = _connect(path)
        try:
            if content is not None:
                self._connection.deserialize(content)
            self._migrate()
            if path is not None:
                # Before SQLite creates the log, which gets the mode of the file.
                make_private(path)
            self._configure()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise _cannot_open(path, error) from error

    def close(self) -> None:
        """Close the file. Closing it again has no effect."""
        with self._lock:
            self._is_open = False
            self._connection.close()

    def content(self) -> bytes | None:
        """Copy the content of an in-memory database.

        Returns:
            The content; None for a file, and after `close`.
        """
        with self._lock:
            return self._connection.serialize() if self._is_in_memory and self._is_open else None

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Run a block as a transaction; a nested block joins the outer transaction.

        Yields:
            The connection, which no other thread uses during the block.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            # IMMEDIATE acquires the write lock before the first read, so that no other process can
            # change the data between a read and a write.
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection, None, None]:
        """Use the connection for reads.

        Yields:
            The connection, which no other thread uses during the block.
        """
        with self._lock:
            yield self._connection

    def setting(self, name: str) -> str | None:
        """Look up a setting.

        Args:
            name: The setting's name.

        Returns:
            The value; None if it was never stored.
        """
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting.

        Args:
            name: The setting's name.
            value: The new value.
        """
        with self.transaction() as connection:
            connection.execute("REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def _migrate(self) -> None:
        """Create the tables of a new database, or migrate those of an older version."""
        self._connection.row_factory = sqlite3.Row
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version > len(_MIGRATIONS) or (version == 0 and tables > 0):
                raise sqlite3.DatabaseError("this version of the sandbox doesn't support the file")
            for number, statements in enumerate(_MIGRATIONS[version:], version + 1):
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")

    def _configure(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # Each commit reaches the operating system, so a killed process loses nothing. A power
        # failure may lose the latest commits, but doesn't damage the file.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")


def _connect(path: str | os.PathLike[str] | None) -> sqlite3.Connection:
    # An absolute path, because SQLite treats names such as ":memory:" specially.
    name = ":memory:" if path is None else os.path.abspath(path)  # noqa: PTH100 - bytes too
    try:
        return sqlite3.connect(name, check_same_thread=False, isolation_level=None)
    except sqlite3.Error as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: str | os.PathLike[str] | None, error: Exception) -> OSError:
    return OSError(f"Cannot open the database {path}: {error}. Choose another file.")
