"""What has become of each row, in SQLite: written so that a process may be killed at any moment."""

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Generator, Iterator
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from attrs import frozen

from conversations_client.bulk._errors import BulkError

_ID: Final = 0x436E764A  # "CnvJ"
_SCHEMA: Final = """
    BEGIN;
    CREATE TABLE import (id TEXT NOT NULL) STRICT;
    CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        digest TEXT NOT NULL,
        state TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
"""


class State(StrEnum):
    """What is known of a row."""

    SENT = "sent"
    """It is being sent; after a crash, it may have been created."""
    CREATED = "created"
    FAILED = "failed"
    """It was not created."""
    DOUBTFUL = "doubtful"
    """It may have been created."""


@frozen
class Entry:
    """What has become of a row.

    Attributes:
        number: Which row, from 1.
        digest: What its content was told by.
        state: What is known of it.
        detail: The id of the new conversation, or what the error said.
    """

    number: int
    digest: str
    state: State
    detail: str

    def is_to_be_sent(self, *, keys_are_trusted: bool) -> bool:
        """Whether it is sent in another run.

        Args:
            keys_are_trusted: Whether a repeat of the same request can't create another one.
        """
        if self.state in {State.SENT, State.DOUBTFUL}:
            return keys_are_trusted
        return self.state is State.FAILED


class Journal:
    """The record of an import; a context manager, for one process at a time.

    Every change is handed to the system before the method returns, so that it outlives the
    process; a power cut may take the last moments.

    Args:
        path: The SQLite file, made if it isn't there.
        import_id: What the import is known by, as part of its idempotency keys: 1 to 100 letters,
            digits and hyphens. A new journal makes one up if it is left out.

    Raises:
        BulkError: The file is no journal, is that of another import, or is in use.
    """

    def __init__(self, path: str | os.PathLike[str], *, import_id: str | None = None) -> None:
        self._path = os.fspath(path)
        with self._explained():
            self._database = sqlite3.connect(self._path, timeout=0, isolation_level=None)
            try:
                self.import_id = self._set_up(import_id)
            except BaseException:
                self._database.close()
                raise

    def find(self, number: int) -> Entry | None:
        """What has become of a row; None if it was never sent."""
        with self._explained():
            row = self._database.execute(
                "SELECT number, digest, state, detail FROM entry WHERE number = ?", (number,)
            ).fetchone()
        return None if row is None else _entry(row)

    def record(self, entry: Entry) -> None:
        """Write down what has become of a row."""
        with self._explained():
            self._database.execute(
                "REPLACE INTO entry (number, digest, state, detail) VALUES (?, ?, ?, ?)",
                (entry.number, entry.digest, entry.state, entry.detail),
            )

    def doubt(self) -> None:
        """Take the rows that were being sent for doubtful: whoever sent them is gone."""
        with self._explained():
            self._database.execute(
                "UPDATE entry SET state = ?, detail = ? WHERE state = ?",
                (State.DOUBTFUL, "The import was ended before the answer.", State.SENT),
            )

    def entries(self) -> Iterator[Entry]:
        """What has become of every row that was come to, in their order."""
        with self._explained():
            found = self._database.execute(
                "SELECT number, digest, state, detail FROM entry ORDER BY number"
            )
        return map(_entry, found)

    def counts(self) -> dict[State, int]:
        """How many rows there are of each state."""
        with self._explained():
            found = dict(self._database.execute("SELECT state, count(*) FROM entry GROUP BY state"))
        return {state: found.get(state, 0) for state in State}

    def close(self) -> None:
        """Let go of the file; again does nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _set_up(self, import_id: str | None) -> str:
        database = self._database
        # One process alone, from the first read on.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        (known_as,) = database.execute("PRAGMA application_id").fetchone()
        if known_as == 0 and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            made = import_id or uuid.uuid4().hex
            database.executescript(_SCHEMA)
            database.execute("INSERT INTO import VALUES (?)", (made,))
            database.execute(f"PRAGMA application_id = {_ID}")
            database.execute("COMMIT")
        elif known_as != _ID:
            raise BulkError(f"{self._path} is no journal of an import: name another file.")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (found,) = database.execute("SELECT id FROM import").fetchone()
        if import_id not in {None, found}:
            raise BulkError(f"{self._path} is the journal of another import, {found}.")
        database.execute("BEGIN IMMEDIATE")  # takes the lock, which stays
        database.execute("COMMIT")
        return str(found)

    @contextlib.contextmanager
    def _explained(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.Error as error:
            words = (
                "is in use by another import: wait until it has ended"
                if "locked" in str(error)
                else f"can't be used: {error}"
            )
        else:
            return
        raise BulkError(f"The journal {self._path} {words}.")


def _entry(row: tuple[int, str, str, str]) -> Entry:
    number, digest, state, detail = row
    return Entry(number, digest, State(state), detail)
