"""Records the status of each row in SQLite, so that an import can resume after it is killed."""

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from typing import Final

from conversations_client.bulk._database import Database, JournalBase, has_content
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._imports.destination import Destination, conflict_message
from conversations_client.bulk._imports.entry import Entry, State
from conversations_client.bulk._text import check_path, without_surrogates

_APPLICATION_ID: Final = 0x436E764B  # "CnvK"
_SCHEMA: Final = """
    CREATE TABLE import (id TEXT NOT NULL, destination TEXT) STRICT;
    CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        digest TEXT NOT NULL,
        state TEXT NOT NULL,
        detail TEXT NOT NULL,
        key TEXT NOT NULL,
        line INTEGER
    ) STRICT;
"""
_SELECT_ROW: Final = "SELECT number, digest, state, detail, key, line FROM entry WHERE number = ?"
_SELECT_AFTER: Final = (
    "SELECT number, digest, state, detail, key, line FROM entry WHERE number > ? ORDER BY number"
)
_REPLACE: Final = (
    "REPLACE INTO entry (number, digest, state, detail, key, line) VALUES (?, ?, ?, ?, ?, ?)"
)
_IMPORT_ID: Final = re.compile(r"[A-Za-z0-9-]{1,100}")

# The space that SQLite needs for a row in the database, for a row in its write-ahead log, and for
# the whole log, which SQLite reuses once it is full.
_ROW_BYTES: Final = 200
_LOG_BYTES_OF_ROW: Final = 3 * 4096
_LOG_BYTES: Final = 1000 * 4096


def _is_import_id(value: object) -> bool:
    return isinstance(value, str) and _IMPORT_ID.fullmatch(value) is not None


class Journal(JournalBase):
    """The journal of an import, as a context manager.

    Only one process can use the file at a time. Each change reaches the operating system before the
    method returns, so no change is lost if the process is killed. The latest changes may be lost in
    a power failure.

    Args:
        path: The SQLite file, created if it doesn't exist.
        import_id: The prefix of each row's idempotency key: 1 to 100 letters, digits and hyphens.
            Default: a new journal generates one.

    Attributes:
        import_id: The prefix of each row's idempotency key.

    Raises:
        BulkError: The ID is invalid, or the file is not an import journal, belongs to a different
            import, can't be written, is in use, or is missing although its `-wal` file exists.

    Example:
        >>> with Journal(":memory:", import_id="nightly-import") as journal:
        ...     journal.import_id
        'nightly-import'
    """

    def __init__(self, path: str | os.PathLike[str], *, import_id: str | None = None) -> None:
        if import_id is not None and not _is_import_id(import_id):
            raise BulkError(
                "import_id must be 1 to 100 letters (a to z), digits and hyphens, such as "
                "'nightly-import'."
            )
        _check_present(path)
        self._database = Database(
            path, application_id=_APPLICATION_ID, schema=_SCHEMA, purpose="import"
        )
        try:
            self.import_id: str = self._set_up(import_id)
        except BaseException:
            self._database.close()
            raise

    @property
    def destination(self) -> Destination | None:
        """Where the conversations are created; None before the first run.

        Example:
            with Journal("import.journal") as journal:
                assert journal.destination is None
        """
        found = self._database.execute("SELECT destination FROM import")
        with self._database.decoding():
            ((text,),) = found
            return None if text is None else Destination.from_json(text)

    def bind(self, destination: Destination, *, change: bool) -> None:
        """Record where the conversations are created.

        Args:
            destination: The destination of this run.
            change: Whether the destination may change.

        Raises:
            BulkError: Conversations were, or may have been, created at a different destination.

        Example:
            with Journal("import.journal") as journal:
                journal.bind(Destination.of(client, salt=journal.import_id), change=False)
        """
        before = self.destination
        difference = None if before is None else before.other(destination)
        if difference is not None and not change and self.has_created():
            owner = f"The journal {self._database.path}"
            raise BulkError(conflict_message(owner, difference))
        self._database.execute("UPDATE import SET destination = ?", (destination.to_json(),))

    def has_created(self) -> bool:
        """Whether a conversation was created, or may have been.

        Example:
            with Journal("import.journal") as journal:
                assert not journal.has_created()
        """
        return any(count for state, count in self.counts().items() if state is not State.FAILED)

    def check_space(self, rows: int) -> None:
        """Check that the disk has space for new rows, so that it doesn't fill up partway through.

        Args:
            rows: The number of rows that are not in the journal yet.

        Raises:
            BulkError: The disk doesn't have enough space.

        Example:
            with Journal("import.journal") as journal:
                journal.check_space(count_rows("conversations.jsonl"))
        """
        needed = rows * _ROW_BYTES + min(rows * _LOG_BYTES_OF_ROW, _LOG_BYTES)
        disk = shutil.disk_usage(Path(self._database.path).absolute().parent)
        if disk.total and disk.free < needed:
            raise BulkError(
                f"The journal {self._database.path} needs about {needed / 1e6:,.2f} MB, but its "
                f"disk has {disk.free / 1e6:,.2f} MB left. Nothing was sent. Free some space, or "
                "use a journal on another disk."
            ) from OSError(ENOSPC, os.strerror(ENOSPC))

    def find(self, number: int) -> Entry | None:
        """The status of a row; None if no run has reached it.

        Example:
            with Journal("import.journal") as journal:
                import_file(client, "conversations.jsonl", journal)
                entry = journal.find(1)
                assert entry is not None and entry.state is State.CREATED
                assert journal.find(3) is None
        """
        for row in self._database.execute(_SELECT_ROW, (number,)):
            return self._entry(row)
        return None

    def record(self, entry: Entry) -> None:
        """Record the status of a row.

        Example:
            with Journal("import.journal") as journal:
                entry = Entry(number=1, digest="", state=State.FAILED, detail="The row is empty.")
                journal.record(entry)
                assert journal.find(1) == entry
        """
        self._database.execute(
            _REPLACE,
            (
                entry.number,
                entry.digest,
                entry.state,
                without_surrogates(entry.detail),
                json.dumps(entry.key),
                entry.line,
            ),
        )

    def doubt(self) -> None:
        """Mark as doubtful any rows that an earlier run sent but that have no outcome.

        Example:
            with Journal("import.journal") as journal:
                journal.record(Entry(number=1, digest="", state=State.SENT, detail=""))
                journal.doubt()
                assert journal.counts()[State.DOUBTFUL] == 1
        """
        self._database.execute(
            "UPDATE entry SET state = ?, detail = ? WHERE state = ?",
            (State.DOUBTFUL, "The import ended before the response arrived.", State.SENT),
        )

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """The status of every row that a run has reached, in row order.

        Args:
            after: The number of rows to skip. Default: 0.

        Example:
            with Journal("import.journal") as journal:
                import_file(client, "conversations.jsonl", journal)
                assert [entry.number for entry in journal.entries()] == [1, 2]
        """
        return map(self._entry, self._database.stream(_SELECT_AFTER, (after,)))

    def forget(self, *, after: int) -> None:
        """Remove the entries of rows that are no longer in the file.

        Args:
            after: The number of rows in the file.

        Example:
            with Journal("import.journal") as journal:
                journal.record(Entry(number=2, digest="", state=State.FAILED, detail="Empty."))
                journal.forget(after=1)
                assert journal.find(2) is None
        """
        self._database.execute("DELETE FROM entry WHERE number > ?", (after,))

    def remove(self, number: int) -> None:
        """Remove the entry of a row, as if no run had reached the row.

        Args:
            number: The row's number.

        Example:
            with Journal("import.journal") as journal:
                journal.record(Entry(number=1, digest="", state=State.SENT, detail=""))
                journal.remove(1)
                assert journal.find(1) is None
        """
        self._database.execute("DELETE FROM entry WHERE number = ?", (number,))

    def counts(self) -> dict[State, int]:
        """The number of rows in each state.

        Example:
            with Journal("import.journal") as journal:
                import_file(client, "conversations.jsonl", journal)
                assert journal.counts()[State.CREATED] == 2
        """
        found = self._database.execute("SELECT state, count(*) FROM entry GROUP BY state")
        with self._database.decoding():
            return dict.fromkeys(State, 0) | {State(state): count for state, count in found}

    def _set_up(self, import_id: str | None) -> str:
        database = self._database
        if not database.execute("SELECT 1 FROM import"):
            new_id = import_id or uuid.uuid4().hex
            database.execute("INSERT INTO import (id) VALUES (?)", (new_id,))
        found = database.execute("SELECT id FROM import")
        with database.decoding():
            ((current_id,),) = found
        if import_id not in {None, current_id}:
            raise BulkError(
                f"{database.path} is the journal of a different import, {current_id}. Use that ID "
                "or another journal."
            )
        return str(current_id)

    def _entry(self, row: tuple[int, str, str, str, str, int | None]) -> Entry:
        number, digest, state, detail, key, line = row
        with self._database.decoding():
            return Entry(number, digest, State(state), detail, json.loads(key), line)


def _check_present(path: str | os.PathLike[str]) -> None:
    """Raise BulkError if a journal is missing although the file with its latest rows exists."""
    check_path(path, "journal")
    log = Path(f"{os.fspath(path)}-wal")
    if has_content(log) and not has_content(Path(path)):
        raise BulkError(
            f"{log} has rows of an earlier import, but its journal {os.fspath(path)} is missing or "
            "empty. Restore the journal, or move that file elsewhere to import every row again."
        )
