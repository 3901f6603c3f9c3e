"""Command lines: fixtures that run them, and a pseudo-terminal to run them in."""

import fcntl
import io
import os
import pty
import select
import subprocess
import sys
import sysconfig
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from attrs import frozen

from conversations_client import Client
from conversations_client.cli._run import run
from conversations_client.sandbox import Sandbox

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
        return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
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


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def environment(
    bare_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sandbox: Sandbox
) -> None:
    """The key and URL of a sandbox, a home of its own, and a terminal that is 80 wide."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("ORQ_API_KEY", sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", sandbox.url)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client of the same sandbox."""
    with Client(sandbox.api_key, base_url=sandbox.url) as made:
        yield made


@pytest.fixture
def piped(environment: None, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line whose stdout is no terminal."""

    def command(*arguments: str) -> Ended:
        code = run(arguments)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return command


@pytest.fixture
def shown(piped: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command line in front of a terminal."""

    def command(*arguments: str) -> Ended:
        with monkeypatch.context() as patched:
            patched.setattr(sys.stdout, "isatty", lambda: True)
            return piped(*arguments)

    return command


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes stdin a text, or somebody at a terminal who types it."""

    def type_in(text: str, *, is_terminal: bool = False) -> None:
        stdin = io.StringIO(text)
        monkeypatch.setattr(stdin, "isatty", lambda: is_terminal)
        monkeypatch.setattr(sys, "stdin", stdin)

    return type_in
