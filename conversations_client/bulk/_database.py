"""A SQLite file that one process uses at a time, and that survives when the process is killed."""

import contextlib
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from conversations_client.bulk._errors import BulkError

# Seconds. Another process may open the file for a moment to look at it.
_TIMEOUT: Final = 0.5


class Database:
    """A SQLite file with an application ID of its own.

    Each change is handed to the operating system before the method returns; a power cut may lose
    the last moments.

    Args:
        path: The file; created with the schema if it doesn't exist.
        application_id: What marks such a file.
        schema: The statements that create the tables.
        purpose: What the file is the journal of, for error messages, such as "export".

    Raises:
        BulkError: The file is another one, can't be used, or is in use.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, application_id: int, schema: str, purpose: str
    ) -> None:
        self.path = os.fspath(path)
        self._purpose = purpose
        folder = Path(path).parent
        if not folder.is_dir():
            raise BulkError(
                f"The journal {self.path} can't be created: the folder {folder} doesn't exist."
            )
        connection: sqlite3.Connection | None = None
        try:
            with self._explained():
                connection = sqlite3.connect(self.path, timeout=_TIMEOUT, isolation_level=None)
                self._connection = connection
                self._set_up(application_id, schema)
        except BaseException:
            if connection is not None:  # else its traceback would keep the file locked
                connection.close()
            raise

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement; returns all rows."""
        with self._explained():
            return self._connection.execute(statement, parameters).fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement for each row."""
        with self._explained():
            self._connection.executemany(statement, rows)

    def stream(self, statement: str, parameters: Sequence[object] = ()) -> Iterator[Any]:
        """Execute a statement; yields the rows one by one."""
        with self._explained():
            # Not "yield from", which closes the cursor, and fails if the database is closed.
            for row in self._connection.execute(statement, parameters):  # noqa: UP028
                yield row

    @contextlib.contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Make all changes of the block, or none of them."""
        try:
            self.execute("BEGIN")
            yield
            self.execute("COMMIT")
        except BaseException:
            self._connection.rollback()  # does nothing outside a transaction
            raise

    def close(self) -> None:
        """Close the file; again does nothing."""
        self._connection.close()

    def remove(self) -> None:
        """Close the file and delete it."""
        self.close()
        Path(self.path).unlink(missing_ok=True)

    def _set_up(self, application_id: int, schema: str) -> None:
        connection = self._connection
        # For one process alone, from the first read on.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        if found == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.executescript(
                f"BEGIN; {schema} PRAGMA application_id = {application_id}; COMMIT;"
            )
        elif found != application_id:
            raise BulkError(
                f"{self.path} is not the journal of an {self._purpose}: name another file."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # takes the lock, which stays
        connection.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.Error as error:
            problem = (
                f"is in use by another {self._purpose}: wait until that ends."
                if "locked" in str(error)
                else f"can't be used: {str(error).rstrip('.')}. Check its folder and the free "
                "space, or use another."
            )
        else:
            return
        raise BulkError(f"The journal {self.path} {problem}")
