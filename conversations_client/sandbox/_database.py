"""The SQLite connection: opening, tables, transactions, settings."""

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_VERSION: Final = 1

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


class Database:
    """One connection, shared by threads one at a time."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        """Open the database and lay out its tables if it is new.

        Args:
            path: The file; its folder must exist. None keeps everything in memory.

        Raises:
            FileNotFoundError: The file's folder doesn't exist.
            OSError: The file can't be opened, or isn't a database of the sandbox.
        """
        self._lock = threading.RLock()
        self._connection = _connect(path)
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise OSError(f"cannot open the database {path}: {error}") from error

    def close(self) -> None:
        """Let go of the file; again does nothing."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Make what happens inside all or nothing; an inner transaction joins the outer one.

        Yields:
            The connection, which no other thread uses meanwhile.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            # IMMEDIATE takes the write lock before the first read, so that what was read still
            # holds when it is written upon, even if another process has the file open.
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection, None, None]:
        """Lend the connection for reading alone.

        Yields:
            The connection, which no other thread uses meanwhile.
        """
        with self._lock:
            yield self._connection

    def setting(self, name: str) -> str | None:
        """Look a setting up.

        Args:
            name: What it was stored under.

        Returns:
            Its value, None if it was never stored.
        """
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting, in place of what it was.

        Args:
            name: What to store it under.
            value: What to store.
        """
        with self.transaction() as connection:
            connection.execute("REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def _prepare(self) -> None:
        """Set the connection up and create the tables of a new database."""
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The log reaches the system with each commit: a killed process loses nothing. Only a
        # machine that loses power could lose the latest commits, never the file's integrity.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version == 0 and tables == 0:
                for table in _TABLES:
                    connection.execute(table)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise sqlite3.DatabaseError("it was not made by this version of the sandbox")


def _connect(path: str | os.PathLike[str] | None) -> sqlite3.Connection:
    """Open the file, or a database in memory."""
    if path is not None and not Path(path).parent.is_dir():
        raise FileNotFoundError(f"no such folder for the database: {Path(path).parent}")
    try:
        return sqlite3.connect(
            ":memory:" if path is None else path, check_same_thread=False, isolation_level=None
        )
    except sqlite3.Error as error:
        raise OSError(f"cannot open the database {path}: {error}") from error
