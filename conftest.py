"""Runs the examples of README.md and docs/ against a sandbox, as the reader would."""

import ast
import asyncio
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser

from conversations_client.sandbox import Sandbox

# What `readers_environment` stands for.
SET_UP = re.compile(r"(\S*pip install|python3 -m venv|source|export|git clone|cd) ")


@pytest.fixture(scope="session")
def documented_sandbox() -> Iterator[Sandbox]:
    """One sandbox for all examples."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def readers_environment(
    documented_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a reader has set up before an example: a key, a URL, commands, a folder of their own."""
    monkeypatch.setenv("ORQ_API_KEY", documented_sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", documented_sandbox.url)
    monkeypatch.delenv("ORQ_PROJECT_ID", raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)


def lacks(*packages: str) -> str | None:
    """Why the examples that need the packages can't run here; None if they can."""
    missing = [name for name in packages if not list(metadata.distributions(name=name))]
    return f"needs {' and '.join(missing)}, which is not installed" if missing else None


def lacks_command(name: str) -> str | None:
    """Why the examples that need the command can't run here; None if they can."""
    return None if shutil.which(name) else f"needs {name}, which is not installed"


def run_python(example: Example) -> None:
    """Run a block in the page's namespace; one that awaits in the page's loop, as in notebooks."""
    source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
    code = compile(source, example.path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, example.namespace)  # noqa: S102 - an example is there to be run
        return
    runner = example.namespace.setdefault("_runner", asyncio.Runner())
    runner.run(eval(code, example.namespace))  # noqa: S307 - as above


def close_loop(namespace: dict[str, object]) -> None:
    """Close the page's loop, if it had one."""
    if isinstance(runner := namespace.get("_runner"), asyncio.Runner):
        runner.close()


def run_console(example: Example) -> None:
    """Run what stands behind each `$`; below it may stand what it prints, `…` for anything."""
    blocks = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", example.parsed, re.MULTILINE)
    commands = [(command, wanted) for command, wanted in blocks if not SET_UP.match(command)]
    if not commands:
        pytest.skip("it sets up what is there already")
    for command, wanted in commands:
        printed = subprocess.run(  # noqa: S603 - a page of this repository says it
            ["bash", "-euo", "pipefail", "-c", command],  # noqa: S607 - the reader's own
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        pattern = re.escape(wanted.strip()).replace("…", ".*")
        assert not wanted or re.fullmatch(pattern, printed.strip(), re.DOTALL), printed  # noqa: S101


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
