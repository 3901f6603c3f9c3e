"""Prevents other users of the machine from reading the database file."""

import os
import stat
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o600
# The database and the files that SQLite creates next to it.
_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")


def create_private(path: str | os.PathLike[str]) -> None:
    """Create a file that only its owner can read, unless it exists.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: Its folder doesn't exist.
        OSError: The file can't be created.
    """
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(
            f"The folder {Path(path).parent} of the database doesn't exist. Create it, or choose "
            "another file."
        )
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))
    except FileExistsError:
        return
    except OSError as error:
        raise OSError(
            f"Cannot create the database {path}: {error.strerror}. Choose another file."
        ) from error


def make_private(path: str | os.PathLike[str]) -> None:
    """Remove the permissions of other users from a database and the files next to it.

    Args:
        path: The database file.

    Raises:
        OSError: A file belongs to another user.
    """
    for file in (Path(f"{os.fspath(path)}{suffix}") for suffix in _SUFFIXES):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & ~_PRIVATE:
            file.chmod(_PRIVATE)
