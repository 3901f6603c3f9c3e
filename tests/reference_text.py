"""Writes the text of the reference pages for readers of the repository: python tests/reference_text.py

On the site, the directives of a page render the docstrings. The repository doesn't render
directives, so the pages also have the text, between markers before the directives.
"""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import FunctionType
from typing import Any

import public_api

import conversations_client

PAGES = Path(__file__).parent.parent / "docs" / "reference"
MARKED = re.compile(r"(<!-- text of the docstrings: begin -->\n).*?(<!-- text of the docstrings: end -->)", re.DOTALL)  # fmt: skip
DIRECTIVE = re.compile(
    r"^\.\. (currentmodule|autoclass|autoexception|autofunction):: (.+)((?:\n   :.*)*)",
    re.MULTILINE,
)
WIDTH = 88
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields|Examples?):$", re.MULTILINE)
ITEM = re.compile(r"^ {4}(\S.*?): (.*(?:\n(?: {5,}.*|$))*)", re.MULTILINE)


def pages() -> list[Path]:
    """The pages with this text."""
    return [page for page in sorted(PAGES.glob("*.md")) if MARKED.search(page.read_text())]


def updated(page: str) -> str:
    """A page with the current text of the docstrings before each group of directives."""
    before, *parts = re.split(rf"({MARKED.pattern})", page, flags=re.DOTALL)
    width = MARKED.groups + 2
    texts = [before]
    for index in range(0, len(parts), width):
        begin, end, after = parts[index + 1 : index + width]
        text = "\n".join(_sections(after))
        texts.append(f"{begin}\n{text}\n{end}{after}")
    return "".join(texts)


def _sections(page: str) -> Iterator[str]:
    module: Any = conversations_client
    for kind, name, options in DIRECTIVE.findall(page):
        if kind == "currentmodule":
            module = importlib.import_module(name)
            continue
        path, _, short = name.rpartition(".")
        value = getattr(importlib.import_module(path) if path else module, short)
        if kind == "autofunction":
            yield from _function(short, value, level=3)
        else:
            excluded = re.findall(
                r"\w+", options.partition(":exclude-members:")[2].partition("\n")[0]
            )
            yield from _class(short, value, excluded)


def _class(name: str, cls: type, excluded: list[str]) -> Iterator[str]:
    yield f"### `{name}`\n"
    if "__init__" in public_api.members(cls):
        yield _code(_signature(name, cls))
    yield from _docstring(vars(cls)["__doc__"])
    if fields := dict(_fields(cls)):
        items = [f"- `{key}`: {_joined(text)}" for key, text in fields.items()]
        yield "\n".join(["Attributes:\n", *items]) + "\n"
    for key, member in public_api.members(cls).items():
        if key not in {"__init__", *excluded} and (callable(member) or hasattr(member, "__get__")):
            yield from _function(key, member, level=4)


def _fields(cls: type) -> Iterator[tuple[str, str]]:
    """The attributes of a class with the docstrings below them."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    for each, after in pairwise(tree.body):
        match each, after:
            case (
                ast.AnnAssign(target=ast.Name(key)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield key, text
            case _:
                pass


def _function(name: str, member: Any, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name}`\n"
    if isinstance(member, FunctionType):
        yield _code(_signature(name, member))
    yield from _docstring(inspect.getdoc(member) or "")


def _signature(name: str, function: Any) -> str:
    """A signature on one line, or with one parameter per line."""
    signature = inspect.signature(function)
    kept = [each for key, each in signature.parameters.items() if key != "self"]
    returned = inspect.Signature.empty if inspect.isclass(function) else signature.return_annotation
    shown = signature.replace(parameters=kept, return_annotation=returned)
    # Defaults that are enum members by value, and those that are classes by name.
    text = re.sub(r"<\w+\.\w+: ([^>]*)>", r"\1", str(shown))
    text = re.sub(r"<class '[\w.]*?(\w+)'>", r"\1", text)
    short = public_api.without_modules(text)
    if len(name + short) <= WIDTH:
        return name + short
    parameters, _, result = short[1:].rpartition(")")
    lines = [f"    {each}," for each in re.split(r", (?=\*|\w+[:=]|/)", parameters)]
    return "\n".join([f"{name}(", *lines, f"){result}"])


def _code(text: str) -> str:
    return f"```py\n{text}\n```\n"


def _docstring(docstring: str) -> Iterator[str]:
    head, *rest = SECTION.split(inspect.cleandoc(docstring))
    yield head.strip() + "\n"
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        content = body.strip("\n")
        if title.startswith("Example"):
            yield _code(textwrap.dedent(content))
        elif title in {"Returns", "Yields"}:
            yield f"{title}: {inspect.cleandoc(content)}\n"
        else:
            items = [f"- `{name}`: {_joined(text)}" for name, text in ITEM.findall(content)]
            yield "\n".join([f"{title}:\n", *items]) + "\n"


def _joined(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    for path in pages():
        path.write_text(updated(path.read_text()))
