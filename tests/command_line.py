"""Command lines: how they end, and a pseudo-terminal to run them in."""

import fcntl
import os
import pty
import select
import subprocess
import sys
import sysconfig
import termios
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import frozen

SCRIPT = str(Path(sysconfig.get_path("scripts")) / "conversations")
LONGEST_WAIT = 60.0

# The terminal must be the controlling one of the command for Ctrl-C to reach it.
_LAUNCH = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@frozen
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@contextmanager
def reader_gone() -> Generator[int, None, None]:
    """A pipe to write into, whose reader has left already."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


class Terminal:
    """The installed command in a pseudo-terminal of its own, 80 wide."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x18\0\x50\0\0\0\0\0")
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-ISc", _LAUNCH, SCRIPT, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until the text is there."""
        while text not in self.seen:
            assert self._read(), f"ended without {text!r}: {self.seen!r}"

    def press(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._process.wait(timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(timeout=60)
        os.close(self._ours)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], LONGEST_WAIT)
        assert ready, f"silence after {self.seen!r}"
        try:
            data = os.read(self._ours, 4096)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
