"""Checks that readers can copy an example of a page without the examples before it."""

import ast
import builtins
import re
import symtable
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from docstring_examples import examples

ROOT = Path(__file__).parent.parent
# The examples of the reference are those of the docstrings.
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - {*ROOT.glob("docs/reference/*")})
BUILDS_ON = re.compile(r"examples\s+on\s+this\s+page\s+build\s+on\s+each\s+other: ")
BLOCK = re.compile(r"^( *)```py(?:thon)?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: str) -> list[str]:
    return [textwrap.dedent(code) for _, code in BLOCK.findall(page)]


def builds_on_earlier_examples(page: str) -> bool:
    """Whether the page says so above its first example."""
    return BUILDS_ON.search(page.partition("```python")[0]) is not None


def globals_read(table: symtable.SymbolTable) -> set[str]:
    is_module = table.get_type() == "module"
    found = {
        each.get_name()
        for each in table.get_symbols()
        if each.is_referenced() and (is_module or each.is_global())
    }
    return found.union(*map(globals_read, table.get_children()))


def missing_names(code: str) -> set[str]:
    """The names that a block with imports uses, but neither defines nor imports."""
    if not any(isinstance(each, ast.Import | ast.ImportFrom) for each in ast.walk(ast.parse(code))):
        return set()
    module = symtable.symtable(code, "example", "exec")
    defined = {
        each.get_name()
        for each in module.get_symbols()
        if each.is_assigned() or each.is_imported() or each.is_namespace()
    }
    missing = globals_read(module) - defined - {*dir(builtins)}
    # The compiler adds names such as __conditional_annotations__.
    return {name for name in missing if not name.startswith("__")}


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("print(client)", ""),
        ("import os\nprint(client)", "client"),
        ("import os\ndef f(a: Path) -> None:\n    print(a, sys.path, os)", "Path sys"),
        ("import os\nclass A:\n    b = 1\n    def f(self): return [c for c in d]", "d"),
        ("from a import *\nfor b in []:\n    print(b, __name__)", ""),
        ("import a.b\nmatch a:\n    case C(d): print(d)", "C"),
        ("import os\nif os:\n    a: list[str] = []", ""),
    ],
)
def test_names_that_an_example_lacks(code: str, missing: str) -> None:
    assert missing_names(code) == {*missing.split()}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_an_example_with_imports_imports_all_it_uses(path: Path) -> None:
    page = path.read_text()
    if not builds_on_earlier_examples(page):
        missing = {code: names for code in blocks(page) if (names := missing_names(code))}
        assert missing == {}


def keyed_calls(code: str) -> Iterator[tuple[str, str]]:
    """The idempotency key of each call that sets one, and its other arguments."""
    for call in ast.walk(ast.parse(code)):
        if isinstance(call, ast.Call):
            keywords = {each.arg: each.value for each in call.keywords}
            key = keywords.pop("idempotency_key", None)
            if isinstance(key, ast.Constant | ast.JoinedStr):
                body = [*call.args, *keywords.values()]
                yield key_pattern(key), ", ".join(map(ast.unparse, body))


def key_pattern(key: ast.Constant | ast.JoinedStr) -> str:
    """A key in which each inserted value is `{}`."""
    if isinstance(key, ast.Constant):
        return str(key.value)
    return "".join(
        str(each.value) if isinstance(each, ast.Constant) else "{}" for each in key.values
    )


def test_examples_with_different_bodies_have_different_keys() -> None:
    """Otherwise, a reader who runs both on the same service gets a 422 from the second."""
    pages = {named(path): blocks(path.read_text()) for path in PAGES}
    pages["docstrings"] = [each.code for each in examples() if not each.code.startswith(">>>")]
    # Inserted values can differ where the code doesn't, so such a key belongs to one example.
    used = sorted(
        (key, body if "{}" not in key else f"{page}, example {number}")
        for page, codes in pages.items()
        for number, code in enumerate(codes)
        for key, body in keyed_calls(code)
    )
    found = {key: {body for _, body in same} for key, same in groupby(used, lambda one: one[0])}
    assert len(found) >= 3
    assert {key: bodies for key, bodies in found.items() if len(bodies) > 1} == {}
