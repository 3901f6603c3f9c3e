"""What holds of the package as a whole."""

import ast
import inspect
import os
import sysconfig
from pathlib import Path
from types import FunctionType

import pytest

import conversations_client
from conversations_client import (
    AsyncClient,
    AsyncConversations,
    AsyncPages,
    AsyncResponses,
    AsyncStream,
    Client,
    Conversations,
    Pages,
    Responses,
    Stream,
)
from conversations_client._conversations import AsyncRawConversations, RawConversations
from conversations_client._engine import AsyncEngine, Engine
from conversations_client._responses import AsyncRawResponses, RawResponses

ROOT = Path(conversations_client.__file__).parent

# From the top of the tower down; imports point down only, and never along a layer.
LAYERS = [
    {"__init__"},
    {"_client"},
    {"_conversations"},
    {"_responses"},
    {"_engine"},
    {"_exchange", "_streaming"},
    {"_configured", "_incoming", "_raw", "_requests", "_tracing"},
    {"_call", "_config", "_endpoints", "_reading"},
    {"_message", "_retry", "_status"},
    {"_arguments", "_operation"},
    {"_collected", "_wire"},
    {"_objects", "_paging", "responses"},
    {"_generated", "_transport", "events", "models"},
    {"_async_connections", "_json", "_log", "_sync_connections", "_values", "messages"},
    {"_body", "_failures", "_faults", "_origin", "_pool", "_times", "_validators", "hooks"},
    {"errors"},
    {
        "_attributes",
        "_headers",
        "_nesting",
        "_network",
        "_retry_after",
        "_secret",
        "_sse",
        "_unset",
        "_version",
    },
]
DEPTH = {module: depth for depth, layer in enumerate(LAYERS) for module in layer}
SOCKETS = {"_sync_connections", "_async_connections", "_network"}
HTTPX = {
    "_client",
    "_engine",
    "_exchange",
    "_failures",
    "_incoming",
    "_origin",
    "_requests",
    "_transport",
} | SOCKETS
IMPURE = {"os", "socket", "time", "random", "uuid", "anyio", "threading", "secrets", "logging"}
EFFECTFUL = {
    "_configured",
    "_engine",
    "_exchange",
    "_incoming",
    "_log",
    "_transport",
} | SOCKETS


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is None:
            found |= {f".{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


TOWER = sorted(ROOT.glob("*.py"))


def test_every_module_has_its_layer() -> None:
    assert {path.stem for path in TOWER} == set(DEPTH)


@pytest.mark.parametrize("path", TOWER, ids=lambda path: path.stem)
def test_imports_point_down_only(path: Path) -> None:
    for name in imports(path):
        if name.startswith("."):
            assert DEPTH[name.removeprefix(".")] > DEPTH[path.stem], name
        top = name.split(".", 1)[0]
        assert top != "conversations_client"
        assert top not in {"httpx", "httpcore"} or path.stem in HTTPX
        assert top not in IMPURE or path.stem in EFFECTFUL


@pytest.mark.parametrize("path", sorted(ROOT.glob("sandbox/*.py")), ids=lambda path: path.stem)
def test_the_sandbox_imports_nothing_of_the_tower(path: Path) -> None:
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client"):
            assert name.startswith("conversations_client.sandbox")


@pytest.mark.parametrize("path", sorted(ROOT.glob("cli/*.py")), ids=lambda path: path.stem)
def test_the_command_line_uses_the_public_names_alone(path: Path) -> None:
    cli = "conversations_client.cli"
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client") and not name.startswith(f"{cli}."):
            assert name in {"conversations_client", "conversations_client.sandbox", cli}


PROTOCOLS = ["__enter__", "__exit__", "__iter__", "__next__", "__del__"]
ASYNC_PROTOCOLS = ["__aenter__", "__aexit__", "__aiter__", "__anext__"]


def public(cls: type) -> dict[str, FunctionType]:
    return {
        name.replace("aclose", "close").replace("__a", "__"): member
        for name, member in vars(cls).items()
        if isinstance(member, FunctionType)
        and (not name.startswith("_") or name in {"__init__", *PROTOCOLS, *ASYNC_PROTOCOLS})
    }


def signature(function: FunctionType) -> str:
    text = str(inspect.signature(function))
    return text.replace("Async", "")


@pytest.mark.parametrize(
    ("sync", "asynchronous"),
    [
        (Client, AsyncClient),
        (Conversations, AsyncConversations),
        (RawConversations, AsyncRawConversations),
        (Pages, AsyncPages),
        (Responses, AsyncResponses),
        (RawResponses, AsyncRawResponses),
        (Stream, AsyncStream),
        (Engine, AsyncEngine),
    ],
)
def test_sync_and_async_have_the_same_signatures_and_docstrings(
    sync: type, asynchronous: type
) -> None:
    ours, theirs = public(sync), public(asynchronous)
    assert list(ours) == list(theirs)
    for name, function in ours.items():
        if name == "__init__" and sync in {Engine, Pages, RawResponses, Responses, Stream}:
            continue
        assert signature(function) == signature(theirs[name])
        assert function.__doc__ == theirs[name].__doc__


def test_all_is_whole() -> None:
    exported = conversations_client.__all__
    tree = ast.parse((ROOT / "__init__.py").read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    names = {
        alias.name
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(exported) == names | {"__version__"}
    assert len(exported) == len(set(exported))
    assert set(exported) <= set(dir(conversations_client))
    for name in exported:
        assert getattr(conversations_client, name) is not None
    assert conversations_client.responses.Response is conversations_client.Response
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = conversations_client.Nothing


@pytest.mark.skipif(
    os.environ.get("CONVERSATIONS_CLIENT_UNDER_TEST") != "wheel", reason="the checkout is tested"
)
def test_the_installed_wheel_is_what_is_tested() -> None:
    assert Path(sysconfig.get_path("purelib")) in ROOT.parents
    assert (ROOT / "py.typed").exists()
