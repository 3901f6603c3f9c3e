"""Starts every test from the same state, and runs the examples of README.md and docs/."""

import ast
import asyncio
import faulthandler
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser

from conversations_client.sandbox import Sandbox

# Commands whose effect `readers_environment` has already.
SET_UP = re.compile(r"(\S*pip install|python3 -m venv|source|export|git clone|cd) ")
# The caller's settings of the client, of proxies and of terminals.
SETTINGS = re.compile(r"ORQ_.*|(?i:(http|https|all|no)_proxy)|NO_COLOR|FORCE_COLOR|COLUMNS|LINES")
# Seconds until a test ends the process, if its `timeout` in pyproject.toml could not interrupt it.
LONGEST = 300.0

_stderr = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Undo what the tests and their child processes would inherit from whoever started pytest.

    A script starts its background jobs with SIGINT and SIGQUIT ignored.
    """
    for name in [name for name in os.environ if SETTINGS.fullmatch(name)]:
        del os.environ[name]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    config.stash[_stderr] = os.dup(2)  # pytest captures the original


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Print all stacks and end the process if a test hangs where no signal can interrupt it.

    In all other cases pytest-timeout fails the test before that.
    """
    if item.config.getoption("usepdb"):
        return (yield)
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=item.config.stash[_stderr])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def documented_sandbox() -> Iterator[Sandbox]:
    """One sandbox for all examples."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def readers_environment(
    documented_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Set up what a reader has before an example: a key, a URL, commands, an empty folder."""
    monkeypatch.setenv("ORQ_API_KEY", documented_sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", documented_sandbox.url)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)


def lacks(*packages: str) -> str | None:
    """Return why examples that need these packages can't run here; None if they can."""
    missing = [name for name in packages if not list(metadata.distributions(name=name))]
    return f"needs {' and '.join(missing)}, which is not installed" if missing else None


def lacks_command(name: str) -> str | None:
    """Return why examples that need this command can't run here; None if they can."""
    return None if shutil.which(name) else f"needs {name}, which is not installed"


def run_python(example: Example) -> None:
    """Run a block in its page's namespace. `await` works at the top level, as in notebooks."""
    source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
    code = compile(source, example.path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, example.namespace)  # noqa: S102 - the repository's own example
        return
    runner = example.namespace.setdefault("_runner", asyncio.Runner())
    runner.run(eval(code, example.namespace))  # noqa: S307 - as above


def close_loop(namespace: dict[str, object]) -> None:
    """Close the page's event loop, if there is one."""
    if isinstance(runner := namespace.get("_runner"), asyncio.Runner):
        runner.close()


def run_console(example: Example) -> None:
    """Run the command after each `$`. Lines below it are its output; `…` matches anything."""
    blocks = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", example.parsed, re.MULTILINE)
    commands = [(command, expected) for command, expected in blocks if not SET_UP.match(command)]
    if not commands:
        pytest.skip("the fixtures have set this up already")
    for command, expected in commands:
        printed = subprocess.run(  # noqa: S603 - the repository's own example
            ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607 - as above
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        pattern = re.escape(expected.strip()).replace("…", ".*")
        assert not expected or re.fullmatch(pattern, printed.strip(), re.DOTALL), printed  # noqa: S101


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", run_python),
        CodeBlockParser("console", run_console),
        SkipParser(),
    ],
    patterns=["*.md"],
    setup=lambda namespace: namespace.update(
        __name__="__main__", lacks=lacks, lacks_command=lacks_command
    ),
    teardown=close_loop,
    fixtures=["readers_environment"],
).pytest()
