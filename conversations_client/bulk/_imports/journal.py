"""Records the status of each row in SQLite, so that the process can be killed at any time."""

import contextlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Generator, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from attrs import frozen

from conversations_client.bulk._database import Database
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.rows import Key
from conversations_client.bulk._imports.destination import Destination, refusal

_ID: Final = 0x436E764B  # "CnvK"
_SCHEMA: Final = """
    CREATE TABLE import (id TEXT NOT NULL, destination TEXT) STRICT;
    CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        digest TEXT NOT NULL,
        state TEXT NOT NULL,
        detail TEXT NOT NULL,
        key TEXT NOT NULL
    ) STRICT;
"""
_FIND: Final = "SELECT number, digest, state, detail, key FROM entry WHERE number = ?"
_ALL: Final = "SELECT number, digest, state, detail, key FROM entry ORDER BY number"
_RECORD: Final = "REPLACE INTO entry (number, digest, state, detail, key) VALUES (?, ?, ?, ?, ?)"
_IMPORT_ID: Final = re.compile(r"[A-Za-z0-9-]{1,100}")

# What SQLite needs: for a row, and for the log in front of it, which it empties when it is full.
_ROW_BYTES: Final = 200
_LOG_BYTES_OF_ROW: Final = 3 * 4096
_LOG_BYTES: Final = 1000 * 4096


class State(StrEnum):
    """The status of a row."""

    SENT = "sent"
    """It is being sent. After a crash it may have been created."""
    CREATED = "created"
    FAILED = "failed"
    """It was not created."""
    DOUBTFUL = "doubtful"
    """It may have been created."""


@frozen
class Entry:
    """The status of a row.

    Attributes:
        number: The row's number, from 1.
        digest: A digest of the row's content.
        state: The status.
        detail: The id of the new conversation, or the error message.
        key: The row's cell of the key column, if the import has one.
    """

    number: int
    digest: str
    state: State
    detail: str
    key: Key = None

    def is_to_be_sent(self, *, keys_are_trusted: bool) -> bool:
        """Whether another run sends the row.

        Args:
            keys_are_trusted: Whether a repeat of the same request can't create another one.
        """
        if self.state in {State.SENT, State.DOUBTFUL}:
            return keys_are_trusted
        return self.state is State.FAILED


class Journal:
    """The record of an import; a context manager for one process at a time.

    Each change is handed to the operating system before the method returns, so it survives the
    process. A power cut may lose the last moments.

    Args:
        path: The SQLite file, created if it doesn't exist.
        import_id: The import's part of its idempotency keys: 1 to 100 letters, digits and hyphens.
            Default: a new journal generates one.

    Raises:
        BulkError: The id is invalid, or the file is not a journal, belongs to another import, can't
            be written or is in use.

    Example:
        >>> with Journal(":memory:", import_id="nightly-import") as journal:
        ...     journal.import_id
        'nightly-import'
    """

    def __init__(self, path: str | os.PathLike[str], *, import_id: str | None = None) -> None:
        if import_id is not None and not _IMPORT_ID.fullmatch(import_id):
            raise BulkError(
                "import_id must be 1 to 100 letters (a to z), digits and hyphens, such as "
                "'nightly-import'."
            )
        self._database = Database(path, application_id=_ID, schema=_SCHEMA, purpose="import")
        try:
            self.import_id: str = self._set_up(import_id)
        except BaseException:
            self._database.close()
            raise

    @property
    def destination(self) -> Destination | None:
        """Where the rows are created; None before the first run."""
        ((text,),) = self._database.execute("SELECT destination FROM import")
        with self._explained():
            return None if text is None else Destination.from_json(text)

    def bind(self, destination: Destination, *, change: bool) -> None:
        """Record where the rows are created.

        Args:
            destination: Where this run creates them.
            change: Whether another destination is accepted.

        Raises:
            BulkError: Rows were, or may have been, created at another destination.
        """
        before = self.destination
        difference = None if before is None else before.other(destination)
        if difference is not None and not change and self.has_created():
            raise BulkError(refusal(f"The journal {self._database.path}", difference))
        self._database.execute("UPDATE import SET destination = ?", (destination.to_json(),))

    def has_created(self) -> bool:
        """Whether a row was created, or may have been."""
        return any(count for state, count in self.counts().items() if state is not State.FAILED)

    def check_space(self, rows: int) -> None:
        """Check the free space for new rows, so that the disk isn't full in the middle.

        Args:
            rows: How many rows are not in the journal yet.

        Raises:
            BulkError: The disk has too little space.
        """
        needed = rows * _ROW_BYTES + min(rows * _LOG_BYTES_OF_ROW, _LOG_BYTES)
        disk = shutil.disk_usage(Path(self._database.path).absolute().parent)
        if disk.total and disk.free < needed:
            raise BulkError(
                f"The journal {self._database.path} needs about {needed / 1e6:,.2f} MB, and its "
                f"disk has {disk.free / 1e6:,.2f} MB left. Nothing was sent. Free some space, or "
                "use a journal elsewhere."
            )

    def find(self, number: int) -> Entry | None:
        """The status of a row; None if no run has reached it."""
        for row in self._database.execute(_FIND, (number,)):
            return self._entry(row)
        return None

    def record(self, entry: Entry) -> None:
        """Record the status of a row."""
        self._database.execute(
            _RECORD,
            (entry.number, entry.digest, entry.state, entry.detail, json.dumps(entry.key)),
        )

    def doubt(self) -> None:
        """Mark rows that an earlier run was sending as doubtful."""
        self._database.execute(
            "UPDATE entry SET state = ?, detail = ? WHERE state = ?",
            (State.DOUBTFUL, "The import ended before the response.", State.SENT),
        )

    def entries(self) -> Iterator[Entry]:
        """The status of every row that a run has reached, by number."""
        return map(self._entry, self._database.stream(_ALL))

    def counts(self) -> dict[State, int]:
        """The number of rows in each state."""
        found = dict(self._database.execute("SELECT state, count(*) FROM entry GROUP BY state"))
        return {state: found.get(state, 0) for state in State}

    def close(self) -> None:
        """Release the file. Closing twice does nothing."""
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
        if not database.execute("SELECT 1 FROM import"):
            new_id = import_id or uuid.uuid4().hex
            database.execute("INSERT INTO import (id) VALUES (?)", (new_id,))
        ((found,),) = database.execute("SELECT id FROM import")
        if import_id not in {None, found}:
            raise BulkError(f"{database.path} is the journal of another import, {found}.")
        return str(found)

    def _entry(self, row: tuple[int, str, str, str, str]) -> Entry:
        number, digest, state, detail, key = row
        with self._explained():
            return Entry(number, digest, State(state), detail, json.loads(key))

    @contextlib.contextmanager
    def _explained(self) -> Generator[None, None, None]:
        try:
            yield
        except (ValueError, TypeError, KeyError):
            problem = f"The journal {self._database.path} is damaged."
            raise BulkError(problem) from None
