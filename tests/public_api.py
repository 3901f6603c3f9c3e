"""Prints the public API: python tests/public_api.py > tests/api.txt."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import FunctionType, MemberDescriptorType, ModuleType, UnionType
from typing import Any, Generic, Union, get_args, get_origin

import conversations_client
from conversations_client._base.cached_attribute import cached_attribute

PACKAGE = conversations_client.__name__

# The constructors of classes that only the client creates are private.
CREATED_BY_THE_CLIENT = re.compile("(Async)?(Conversations|Outcomes|Pages|Responses|Stream)")


def lines() -> Iterator[str]:
    """Yield every public name in order, each class followed by its members."""
    for module in (conversations_client, *public_modules()):
        for name in sorted(getattr(module, "__all__", ())):
            yield from _described(f"{module.__name__}.{name}", getattr(module, name))


def public_modules() -> Iterator[ModuleType]:
    """The public packages and their modules; the root exports the names of its own modules."""
    for module in pkgutil.walk_packages(conversations_client.__path__, f"{PACKAGE}."):
        is_of_root = module.name.count(".") == 1
        if "._" not in module.name and (module.ispkg or not is_of_root):
            yield importlib.import_module(module.name)


def _described(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, type):
        yield f"class {name}({', '.join(_public_bases(value))})"
        for key, member in sorted(members(value).items()):
            yield f"    {_member(key, member)}"
    elif isinstance(value, FunctionType):
        yield f"{name}{_signature(value)}"
    elif get_origin(value) in {Union, UnionType}:
        yield f"{name}: {' | '.join(member.__name__ for member in get_args(value))}"
    else:
        yield f"{name}: {type(value).__name__}"


def _public_bases(cls: type) -> Iterator[str]:
    for base in cls.__bases__:
        if _is_public(base):
            yield base.__name__
        else:
            yield from _public_bases(base)


def _is_public(cls: type) -> bool:
    ours = cls.__module__.startswith(PACKAGE)
    return cls.__name__ in conversations_client.__all__ if ours else cls not in {object, Generic}


def members(cls: type) -> dict[str, Any]:
    """Return the members of the class and of its private bases."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith(PACKAGE) and (base is cls or not _is_public(base)):
            found |= {key: each for key, each in vars(base).items() if not _is_hidden(key, cls)}
            if hasattr(base, "__total__"):  # a TypedDict
                found |= dict.fromkeys(inspect.get_annotations(base))
    return {key: each for key, each in found.items() if not isinstance(each, MemberDescriptorType)}


def _is_hidden(name: str, cls: type) -> bool:
    if name == "__init__":
        created_by_others = getattr(cls, "_is_protocol", False)
        return created_by_others or CREATED_BY_THE_CLIENT.fullmatch(cls.__name__) is not None
    return name.startswith("_")


def _member(name: str, member: Any) -> str:
    # The function of a class method.
    member = getattr(member, "__func__", member)
    if isinstance(member, cached_attribute):
        return f"{name}{_returned(member.make)}"
    if isinstance(member, property) and member.fget is not None:
        return f"{name}{_returned(member.fget)}"
    if isinstance(member, FunctionType):
        kind = "async " if inspect.iscoroutinefunction(member) else ""
        return f"{kind}{name}{_signature(member)}"
    return name


def _returned(function: Any) -> str:
    return _signature(function).rpartition(")")[2]


def _signature(function: Any) -> str:
    return without_modules(str(inspect.signature(function)))


def without_modules(signature: str) -> str:
    """A signature without the modules of its types."""
    text = re.sub(r"(?<![\w'])(\w+\.)+(?=[A-Za-z_])|~", "", signature)
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)


if __name__ == "__main__":
    print(*lines(), sep="\n")  # noqa: T201 - the command's output
