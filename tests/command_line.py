"""Runs command lines, with or without a pseudo-terminal."""

import fcntl
import os
import pty
import select
import subprocess
import sys
import sysconfig
import termios
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import frozen

SCRIPT = str(Path(sysconfig.get_path("scripts")) / "conversations")
LONGEST_WAIT = 60.0

# These signals work even if the parent process ignores them, as nohup does.
_LAUNCH = (
    "import os, signal, sys; "
    "[signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]; "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
WITH_CTRL_C = [sys.executable, "-ISc", _LAUNCH]
# Ctrl-C reaches the command only through its controlling terminal.
_IN_TERMINAL = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {_LAUNCH}"


def unmeasured(**variables: str) -> dict[str, str]:
    """The environment for a process whose coverage is not measured.

    A signal whose handler raises an exception can leave a lock of the coverage tracer locked, so a
    process that is stopped by a signal would sometimes wait forever.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return {**kept, **variables}


@frozen
class Ended:
    """The result of a command line."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def execute(
    *line: str,
    stdin: bytes = b"",
    stderr: int = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a program with additional environment variables."""
    ended = subprocess.run(  # noqa: S603
        line,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **(environment or {})},
        check=False,
        timeout=LONGEST_WAIT,
    )
    return Ended(ended.returncode, ended.stdout.decode(), (ended.stderr or b"").decode())


@contextmanager
def reader_gone() -> Generator[int, None, None]:
    """The write end of a pipe whose reader is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


class Terminal:
    """The installed command in a pseudo-terminal with 80 columns."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x18\0\x50\0\0\0\0\0")
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-ISc", _IN_TERMINAL, SCRIPT, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=unmeasured(),
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until the text appears."""
        while text not in self.seen:
            assert self._read(), f"ended without {text!r}: {self.seen!r}"

    def press(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def press_until_end(self, text: str) -> None:
        """Press keys again and again until the command ends."""
        for _ in range(int(LONGEST_WAIT / 0.1)):
            self.press(text)
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            return
        raise AssertionError(f"still running: {self.seen!r}")

    def end(self) -> int:
        """Read all output and return the exit code."""
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
        except OSError:  # Linux reports a closed pseudo-terminal as an error
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
