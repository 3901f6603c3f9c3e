"""Finds the `Example:` sections in all public docstrings."""

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import public_api
from attrs import frozen

import conversations_client

PACKAGES = [f"conversations_client.{name}" for name in ("bulk", "sandbox", "testing")]
SECTION = re.compile(r"^( *)Examples?::?\n((?:\1 +.*\n|\s*\n)+)", re.MULTILINE)


@frozen
class Example:
    """The code of an `Example:` section; `name` is the documented object."""

    name: str
    code: str


def documented() -> Iterator[tuple[str, str]]:
    """Each public name with its docstring: modules, classes, functions, methods, properties."""
    for module in (conversations_client, *public_api.public_modules()):
        yield module.__name__, inspect.getdoc(module) or ""
        for name in sorted(getattr(module, "__all__", ())):
            yield from _documented_in(f"{module.__name__}.{name}", getattr(module, name))


def _documented_in(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, type):
        yield name, vars(value).get("__doc__") or ""
        for key, member in public_api.members(value).items():
            if key != "__init__" and (callable(member) or hasattr(member, "__get__")):
                yield f"{name}.{key}", inspect.getdoc(member) or ""
    elif isinstance(value, FunctionType):
        yield name, inspect.getdoc(value) or ""


def code_of(docstring: str) -> str | None:
    """The code of a docstring's `Example:` section, which may be a doctest."""
    found = SECTION.search(f"{inspect.cleandoc(docstring)}\n")
    if found is None:
        return None
    return textwrap.dedent(found[2]).strip("\n") + "\n"


def examples() -> list[Example]:
    """Every example once, because async methods share the docstrings of the sync methods."""
    found: dict[str, Example] = {}
    for name, docstring in documented():
        code = code_of(docstring)
        if code is not None:
            found.setdefault(code, Example(name.removeprefix("conversations_client."), code))
    return list(found.values())


def public_names() -> dict[str, Any]:
    """Every public name, which an example can use without an import."""
    modules = (conversations_client, *map(importlib.import_module, PACKAGES))
    return {name: getattr(each, name) for each in modules for name in each.__all__}
