"""The guarantees page names existing tests."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/guarantees.md").read_text()
PROMISES = PAGE.partition("## At scale")[0]


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_guarantee_names_a_test() -> None:
    rows = [row for row in PROMISES.splitlines() if row.startswith("| ") and "tested by" not in row]
    assert len(rows) > 25
    for row in rows:
        assert "`tests/" in row, row


def test_each_named_test_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PROMISES)
    assert len(named) == PROMISES.count("`tests/")
    for path, name in named:
        assert name in functions_of(ROOT / path), f"{path}::{name}"


def test_each_named_script_exists() -> None:
    for name in re.findall(r"`python (scripts/\w+\.py)", PAGE):
        assert (ROOT / name).is_file()
