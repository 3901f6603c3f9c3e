"""Every wait for another process has a timeout."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("tests", "benchmarks", "examples", "scripts")
PROGRAMS = sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))
RUNNERS = {"run", "call", "check_call", "check_output"}
WAITS = {"wait", "communicate", "join"}
PROCESS = re.compile(r"process|child", re.IGNORECASE)


def unlimited(source: str) -> Iterator[str]:
    """The calls that can wait forever for another process."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            receiver, name = ast.unparse(node.func.value), node.func.attr
            runs = receiver == "subprocess" and name in RUNNERS
            waits = name in WAITS and not node.args and PROCESS.search(receiver)
            limited = any(keyword.arg in {"timeout", None} for keyword in node.keywords)
            if (runs or waits) and not limited:
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_every_test_has_a_limit(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.hasplugin("timeout")
    assert 0 < float(pytestconfig.getini("timeout")) <= 300


@pytest.mark.parametrize("path", [ROOT / "conftest.py", *PROGRAMS], ids=lambda path: path.name)
def test_every_wait_for_a_process_has_a_limit(path: Path) -> None:
    assert list(unlimited(path.read_text())) == []


@pytest.mark.parametrize(
    ("line", "is_limited"),
    [
        ("subprocess.run(['true'])", False),
        ("subprocess.run(['true'], timeout=9)", True),
        ("subprocess.check_output(['true'], text=True)", False),
        ("process.wait()", False),
        ("process.wait(timeout=9)", True),
        ("self._process.communicate()", False),
        ("child.join()", False),
        ("child.join(9)", True),
        ("thread.join()", True),  # pytest-timeout interrupts it
    ],
)
def test_missing_limits_are_found(line: str, is_limited: bool) -> None:
    assert (list(unlimited(line)) == []) is is_limited
