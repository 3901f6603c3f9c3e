"""Standard streams that never raise, even if they are closed or unread, or the disk is full."""

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputStream(io.TextIOWrapper):
    """Standard output or standard error whose writes never fail.

    The first error is recorded, and all later output is discarded. This leaves nothing for the
    interpreter to write at exit, where a failure would replace the exit code with 120.
    """

    def __init__(self, descriptor: int, *, encoding: str) -> None:
        self._file = _OutputFile(descriptor, "wb", closefd=False)
        super().__init__(
            io.BufferedWriter(self._file),
            encoding=encoding,
            errors="backslashreplace",
            line_buffering=True,
        )

    @property
    def error(self) -> OSError | None:
        """The first write error; None if there was none."""
        return self._file.error

    def discard(self) -> None:
        """Discard buffered and later output."""
        self._file.is_discarding = True


class _OutputFile(io.FileIO):
    error: OSError | None = None
    is_discarding = False

    def write(self, data: "ReadableBuffer", /) -> int:
        size = memoryview(data).nbytes
        if self.is_discarding:
            return size
        try:
            return self._write_when_ready(data)
        except OSError as error:
            self.error = error
            self.is_discarding = True
            return size

    def _write_when_ready(self, data: "ReadableBuffer") -> int:
        written: int | None = None
        # The other end may have made the pipe or terminal non-blocking.
        while (written := super().write(data)) is None:
            select.select([], [self], [])
        return written


def protect_standard_streams() -> None:
    """Replace the process's standard streams; call it before anything is printed.

    A stream that was closed before the process started is replaced by the null device. Standard
    output is UTF-8 unless it is a terminal. Streams that other code has replaced stay as they are.
    """
    if sys.stdin is None:
        null_device = os.open(os.devnull, os.O_RDONLY)
        sys.stdin = os.fdopen(null_device, encoding="utf-8", closefd=False)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _protected(sys.stdout, 1, encoding="utf-8")
    if sys.stderr is sys.__stderr__:
        sys.stderr = _protected(sys.stderr, 2, encoding=None)


def _protected(stream: TextIO | None, descriptor: int, *, encoding: str | None) -> OutputStream:
    if stream is None:
        # By now, the descriptor may belong to another file.
        return OutputStream(os.open(os.devnull, os.O_WRONLY), encoding="utf-8")
    if encoding is None or stream.isatty():
        encoding = stream.encoding
    return OutputStream(descriptor, encoding=encoding)


def output_is_lost() -> bool:
    """Whether writing to standard output has failed."""
    return isinstance(sys.stdout, OutputStream) and sys.stdout.error is not None


def output_failure() -> OSError | None:
    """The first write error on standard output, unless its reader closed it early."""
    error = sys.stdout.error if isinstance(sys.stdout, OutputStream) else None
    return None if isinstance(error, ConnectionError) else error


def discard_output() -> None:
    """Discard buffered and later output on standard output."""
    if isinstance(sys.stdout, OutputStream):
        sys.stdout.discard()
