"""A SQLite file for one process at a time, which stays intact if the process is killed."""

import contextlib
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from errno import ELOOP, ENOENT, ENOSPC, ENOTDIR
from pathlib import Path
from stat import S_ISDIR
from types import TracebackType
from typing import Any, Final, Self

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._text import check_path

# Seconds. Another process may open the file briefly to read its counts.
_TIMEOUT: Final = 0.5

_DISK_IS_FULL: Final = "disk is full"
_SIGNS_OF_DAMAGE: Final = (
    "malformed",
    "decode",
    "no such table",
    "no such column",
)
_ADVICE_FOR_DAMAGE: Final = {
    "import": (
        "Restore it from a backup that is newer than the last run of the import. With an older "
        "backup or with another journal, rows are imported again."
    ),
    "export": "Delete it to start again, or use another journal.",
}


class Database:
    """A SQLite file with its own application ID.

    Each change reaches the operating system before the method returns. The latest changes may be
    lost in a power failure.

    Args:
        path: The file, created with the schema if it doesn't exist.
        application_id: The number that identifies this kind of file.
        schema: The statements that create the tables.
        purpose: The kind of journal, for error messages: "import" or "export".

    Raises:
        BulkError: The file is of a different kind, can't be used, or is in use by another process.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, application_id: int, schema: str, purpose: str
    ) -> None:
        self.path = os.fspath(path)
        check_path(self.path, "journal")
        self._purpose = purpose
        folder = Path(path).parent
        if not folder.is_dir():
            raise BulkError(
                f"The journal {self.path} can't be created: the folder {folder} doesn't exist. "
                "Create the folder, or use another journal."
            )
        connection: sqlite3.Connection | None = None
        try:
            with self._translate_errors():
                connection = sqlite3.connect(self.path, timeout=_TIMEOUT, isolation_level=None)
                self._connection = connection
                self._set_up(application_id, schema)
        except BaseException:
            if connection is not None:  # otherwise the traceback keeps the file locked
                connection.close()
            raise

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement and return all rows."""
        with self._translate_errors():
            return self._connection.execute(statement, parameters).fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement for each row."""
        with self._translate_errors():
            self._connection.executemany(statement, rows)

    def stream(self, statement: str, parameters: Sequence[object] = ()) -> Iterator[Any]:
        """Execute a statement and yield its rows one by one."""
        with self._translate_errors():
            # "yield from" closes the cursor, which fails if the database is already closed.
            for row in self._connection.execute(statement, parameters):  # noqa: UP028
                yield row

    @contextlib.contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Apply all changes made in the block, or none of them."""
        try:
            self.execute("BEGIN")
            yield
            self.execute("COMMIT")
        except BaseException:
            self._connection.rollback()  # does nothing outside a transaction
            raise

    def close(self) -> None:
        """Close the file. Closing it again has no effect."""
        self._connection.close()

    def remove(self) -> None:
        """Close the file and delete it."""
        self.close()
        Path(self.path).unlink(missing_ok=True)

    def _set_up(self, application_id: int, schema: str) -> None:
        connection = self._connection
        # Locks out other processes, starting with the first read.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (current_id,) = connection.execute("PRAGMA application_id").fetchone()
        if current_id == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            connection.executescript(
                f"BEGIN; {schema} PRAGMA application_id = {application_id}; COMMIT;"
            )
        elif current_id != application_id:
            raise BulkError(f"{self.path} is not an {self._purpose} journal. Choose another file.")
        else:
            # Damage can hide rows, which would be imported again or left out of an export.
            (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if problem != "ok":
                raise BulkError(_describe_damage(self.path, self._purpose))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # acquires the lock, which COMMIT doesn't release
        connection.execute("COMMIT")

    @contextlib.contextmanager
    def decoding(self) -> Generator[None, None, None]:
        """Treat a value that can't be decoded as damage to the file."""
        try:
            yield
        except (ValueError, TypeError, KeyError):
            raise BulkError(_describe_damage(self.path, self._purpose)) from None

    @contextlib.contextmanager
    def _translate_errors(self) -> Generator[None, None, None]:
        try:
            yield
        # A damaged file can garble SQLite's error messages.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            message = _error_message(self.path, error, self._purpose)
            is_full = _DISK_IS_FULL in str(error)
        else:
            return
        # A full disk isn't the caller's mistake; the cause distinguishes it from other problems.
        raise BulkError(message) from (OSError(ENOSPC, os.strerror(ENOSPC)) if is_full else None)


def _describe_damage(path: str, purpose: str, details: str = "") -> str:
    return f"The journal {path} is damaged{details}. {_ADVICE_FOR_DAMAGE[purpose]}"


def _error_message(path: str, error: sqlite3.Error | UnicodeDecodeError, purpose: str) -> str:
    problem = str(error).rstrip(".")
    if "closed database" in problem:
        return f"The journal {path} is closed. Open it again."
    if "not a database" in problem:
        return f"{path} is not an {purpose} journal. Choose another file."
    if "locked" in problem:
        return f"The journal {path} is in use by another {purpose}. Wait until it ends."
    if isinstance(error, UnicodeDecodeError) or any(sign in problem for sign in _SIGNS_OF_DAMAGE):
        return _describe_damage(path, purpose, f": {problem}")
    refusal = _refusal(Path(path))
    has_rows = purpose == "import" and has_content(Path(path))
    again = " (every row is then imported again)" if has_rows else ""
    check = "" if refusal else "Check its folder and the free disk space, or "
    use = f"{check}use another journal{again}."
    return f"The journal {path} can't be used: {refusal or problem}. {use[0].upper()}{use[1:]}"


def has_content(path: Path) -> bool:
    """Whether a path is a file that is not empty."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:  # such as a name that is too long; SQLite reports it
        return False


def _refusal(path: Path) -> str:
    """Why the operating system doesn't let the user write a file; empty if it does."""
    folder = path.absolute().parent
    try:
        # Unlike is_dir(), stat() raises an error for a name that is too long on every Python.
        if S_ISDIR(path.stat().st_mode):
            return "it is a folder"
        if not os.access(path, os.R_OK | os.W_OK):
            return "you don't have permission to read and write it"
    except OSError as error:
        if error.errno not in {ENOENT, ENOTDIR, ELOOP}:
            return f"{error.strerror}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"you don't have permission to create files in {folder}"
    return ""


class JournalBase:
    """A journal in a database, which is closed at the end of a `with` block."""

    _database: Database

    def close(self) -> None:
        """Close the journal. Closing it again has no effect.

        Example:
            journal = Journal("import.journal")
            journal.close()
        """
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
