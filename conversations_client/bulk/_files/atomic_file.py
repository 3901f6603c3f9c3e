"""Writes files that appear complete or not at all."""

import contextlib
import os
import secrets
import stat
from collections.abc import Generator
from errno import EACCES, EISDIR
from pathlib import Path
from typing import Final

_MAX_PREFIX_LENGTH: Final = 40  # characters, so that the temporary name is never too long
_NEW_FILE: Final = 0o666  # minus the umask, as for any new file
_REPLACEMENT: Final = 0o600  # until it gets the mode of the file it replaces


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Generator[Path, None, None]:
    """A temporary file that replaces `path` at the end of the block.

    The temporary file is in the same folder and has a unique name, so that two writers don't
    interfere. An error in the block leaves `path` unchanged. If `path` is a symbolic link, its
    target is replaced. The new file has the mode of the old one, and its owner where that is
    allowed. Anything other than a regular file, such as a named pipe, is written to directly.

    Raises:
        OSError: The file can't be written; checked before the block where possible.
    """
    with _errors_about(path):
        current = _checked_stat(path)
    if current is not None and not stat.S_ISREG(current.st_mode):
        yield Path(path)
        return
    final = Path(os.path.realpath(path))
    with _temporary(final, path, _NEW_FILE if current is None else _REPLACEMENT) as temporary:
        yield temporary
        with _errors_about(path):
            _flush(temporary)
            if current is not None:
                _copy_owner_and_mode(temporary, current)
            temporary.replace(final)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Check that a file can be written later, without changing it.

    Raises:
        OSError: The file can't be written.
    """
    with _errors_about(path):
        current = _checked_stat(path)
    if current is None or stat.S_ISREG(current.st_mode):
        with _temporary(Path(os.path.realpath(path)), path, _REPLACEMENT):
            pass


def create_once(path: Path, content: str) -> None:
    """Create a file with its content, unless it exists; the first of several processes wins.

    Raises:
        OSError: The file can't be written.
    """
    with _temporary(path, path, _NEW_FILE) as temporary:
        temporary.write_text(content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            if not path.exists():
                temporary.replace(path)


@contextlib.contextmanager
def _temporary(final: Path, path: str | os.PathLike[str], mode: int) -> Generator[Path, None, None]:
    temporary = final.with_name(f".{final.name[:_MAX_PREFIX_LENGTH]}.{secrets.token_hex(8)}.tmp")
    with _errors_about(path):
        # The tempfile module creates private files, but a new file follows the umask.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _checked_stat(path: str | os.PathLike[str]) -> os.stat_result | None:
    """The `stat` result of a file that may be replaced; None if it doesn't exist."""
    try:
        current = Path(path).stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(current.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    if not os.access(path, os.W_OK):
        # A rename would succeed, but the file is write-protected for a reason.
        raise PermissionError(EACCES, os.strerror(EACCES))
    return current


def _copy_owner_and_mode(temporary: Path, current: os.stat_result) -> None:
    created = temporary.stat()
    if (created.st_uid, created.st_gid) != (current.st_uid, current.st_gid):
        with contextlib.suppress(OSError):
            os.chown(temporary, current.st_uid, current.st_gid)
    temporary.chmod(stat.S_IMODE(current.st_mode))


def _flush(path: Path) -> None:
    """Flush a file to disk, so that a power failure doesn't leave it empty."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _errors_about(path: str | os.PathLike[str]) -> Generator[None, None, None]:
    """Raise errors with the path that the user passed instead of the temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
