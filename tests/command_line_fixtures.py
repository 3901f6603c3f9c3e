"""Fixtures for tests of the command line."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Command, Ended

from conversations_client import Client
from conversations_client.cli._run import run
from conversations_client.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sandbox: Sandbox) -> None:
    """The key and URL of a sandbox, an empty home folder, and a terminal with 80 columns."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("ORQ_API_KEY", sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", sandbox.url)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A client for the same sandbox."""
    with Client(sandbox.api_key, base_url=sandbox.url) as made:
        yield made


@pytest.fixture
def piped(environment: None, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line whose stdout is not a terminal."""

    def command(*arguments: str) -> Ended:
        code = run(arguments)
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return command


@pytest.fixture
def shown(piped: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command line whose stdout is a terminal."""

    def command(*arguments: str) -> Ended:
        with monkeypatch.context() as patched:
            patched.setattr(sys.stdout, "isatty", lambda: True)
            return piped(*arguments)

    return command


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replaces stdin with text, from a pipe or a terminal."""

    def type_in(text: str | bytes, *, is_terminal: bool = False) -> None:
        content = text.encode() if isinstance(text, str) else text
        stdin = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
        monkeypatch.setattr(stdin, "isatty", lambda: is_terminal)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
        monkeypatch.setattr(sys, "stdin", stdin)

    return type_in
