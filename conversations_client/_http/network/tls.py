"""Creates the TLS settings of clients, which share them."""

import os
import ssl
from functools import lru_cache
from pathlib import Path

from conversations_client._base.lazy_imports import lazy_import
from conversations_client.errors import ConfigurationError


def shared_tls(file: str, folders: str, key_log: str) -> ssl.SSLContext:
    """TLS settings; the same object until an argument or a file of certificates changes.

    Args:
        file: SSL_CERT_FILE; empty if it isn't set.
        folders: SSL_CERT_DIR; empty if it isn't set. `file` takes precedence.
        key_log: SSLKEYLOGFILE, which Python reads too; empty if it isn't set.

    Raises:
        ConfigurationError: A file or folder can't be used.
    """
    paths = [file] if file else folders.split(os.pathsep) if folders else []
    return _context(file, folders, key_log, tuple(map(_version, paths)))


def default_tls() -> ssl.SSLContext:
    """The TLS settings with certifi's CA bundle; raises ConfigurationError."""
    return shared_tls("", "", os.environ.get("SSLKEYLOGFILE", ""))


def _version(path: str) -> tuple[int, ...]:
    """A value that changes if a file is replaced or changed, or if a folder's entries change."""
    try:
        status = Path(path).stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


# Creating a context is slow. The cache keeps two, because older clients may still open connections
# after a change.
@lru_cache(maxsize=2)
def _context(
    file: str, folders: str, key_log: str, _versions: tuple[tuple[int, ...], ...]
) -> ssl.SSLContext:
    # The same order as in httpx.
    source = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
    if not file and folders and not any(map(os.path.isdir, folders.split(os.pathsep))):
        # OpenSSL ignores a missing folder, and then trusts no certificate.
        raise _unusable(source, "no such folder")
    try:
        return _new_context(file, folders)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        is_key_log = error.filename and error.filename == key_log
    raise _unusable("SSLKEYLOGFILE" if is_key_log else source, problem)


def _new_context(file: str, folders: str) -> ssl.SSLContext:
    if file:
        return ssl.create_default_context(cafile=file)
    if folders:
        return ssl.create_default_context(capath=folders)
    lazy_import("certifi")
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _unusable(variable: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"The file or folder in {variable} can't be used ({problem}): correct the variable, or "
        "unset it."
    )
