"""What holds of the package as a whole."""

import ast
import inspect
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import FunctionType

import pytest
from scripted import ScriptedServer, answer

import conversations_client
from conversations_client import (
    AsyncClient,
    AsyncConversations,
    AsyncOutcomes,
    AsyncPages,
    AsyncResponses,
    AsyncStream,
    Client,
    Conversations,
    Outcomes,
    Pages,
    Responses,
    Stream,
)
from conversations_client._async_conversations import AsyncRawConversations
from conversations_client._conversations import RawConversations
from conversations_client._engine import AsyncEngine, Engine
from conversations_client._responses import AsyncRawResponses, RawResponses

ROOT = Path(conversations_client.__file__).parent

# From the top of the tower down; imports point down only, and never along a layer.
LAYERS = [
    {"__init__"},
    {"_async_client", "_client"},
    {"_async_conversations", "_conversations"},
    {"_outcomes", "_responses"},
    {"_engine"},
    {"_exchange", "_streaming"},
    {"_bulk", "_configured", "_incoming", "_raw", "_requests", "_tracing", "_transport"},
    {"_call", "_config", "_endpoints", "_reading"},
    {"_message", "_retry", "_status"},
    {"_arguments", "_operation"},
    {"_collected", "_wire"},
    {"_objects", "_paging", "_proxied", "responses"},
    {"_generated", "_log", "_origin", "events", "models"},
    {
        "_async_connection",
        "_async_pool",
        "_json",
        "_sync_connection",
        "_sync_pool",
        "_values",
        "hooks",
        "messages",
    },
    {
        "_asyncio_stream",
        "_body",
        "_connection",
        "_failures",
        "_faults",
        "_pool",
        "_throttle",
        "_times",
        "_usage",
        "_validators",
        "_written",
    },
    {"_display", "_http11", "_network", "_pauses", "_source", "errors"},
    {
        "_attributes",
        "_headers",
        "_http",
        "_nesting",
        "_retry_after",
        "_secret",
        "_shortened",
        "_sse",
        "_unset",
        "_version",
    },
]
DEPTH = {module: depth for depth, layer in enumerate(LAYERS) for module in layer}
SOCKETS = {"_async_connection", "_async_pool", "_asyncio_stream", "_network", "_sync_pool"}
IMPURE = {"os", "socket", "time", "random", "uuid", "anyio", "threading", "secrets", "logging"}
EFFECTFUL = {
    "_configured",
    "_engine",
    "_exchange",
    "_incoming",
    "_log",
    "_outcomes",
    "_pauses",
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
        assert top not in {"httpx", "httpcore", "httpx2", "httpcore2"} or path.stem == "_http"
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
            assert name in {
                "conversations_client",
                "conversations_client.bulk",
                "conversations_client.sandbox",
                cli,
            }


@pytest.mark.parametrize("path", sorted(ROOT.glob("bulk/*.py")), ids=lambda path: path.stem)
def test_files_in_bulk_use_the_public_names_alone(path: Path) -> None:
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client."):
            assert name.startswith("conversations_client.bulk.")


PROTOCOLS = ["__enter__", "__exit__", "__iter__", "__next__", "__del__"]
ASYNC_PROTOCOLS = ["__aenter__", "__aexit__", "__aiter__", "__anext__"]


@pytest.mark.parametrize("path", sorted(ROOT.glob("testing/**/*.py")), ids=lambda path: path.stem)
def test_what_is_for_testing_uses_the_public_names_alone(path: Path) -> None:
    testing = "conversations_client.testing"
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client"):
            assert name == "conversations_client" or name.startswith(testing)


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
        (Outcomes, AsyncOutcomes),
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
        if name == "__init__" and sync in {
            Engine,
            Outcomes,
            Pages,
            RawResponses,
            Responses,
            Stream,
        }:
            continue
        assert signature(function) == signature(theirs[name])
        assert function.__doc__ == theirs[name].__doc__


def test_all_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.delattr(conversations_client, "responses", raising=False)
    assert conversations_client.responses.Response is conversations_client.Response
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = conversations_client.Nothing


@pytest.mark.skipif(
    os.environ.get("CONVERSATIONS_CLIENT_UNDER_TEST") != "wheel", reason="the checkout is tested"
)
def test_the_installed_wheel_is_what_is_tested() -> None:
    assert Path(sysconfig.get_path("purelib")) in ROOT.parents
    assert (ROOT / "py.typed").exists()


USED = """
import sys
before = set(sys.modules)
{program}
brought = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(brought - sys.stdlib_module_names))
print(*sorted(name.removeprefix("conversations_client.") for name in sys.modules if name.startswith("conversations_client.")))
print("asyncio" in sys.modules)
"""
IMPORT = "import conversations_client"
CONSTRUCT = "from conversations_client import Client; client = Client('k', base_url='{url}')"
CREATE = f"{CONSTRUCT}; client.conversations.create()"
TO_CONSTRUCT = (
    "_client _config _configured _headers _operation _retry _retry_after _secret _unset "
    "_validators _version errors hooks"
)


def brought(program: str) -> list[str]:
    """What a program of its own imports: packages, modules of ours, and whether asyncio."""
    line = [sys.executable, "-c", USED.format(program=program)]
    output = subprocess.run(line, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return output.splitlines()


def test_nothing_is_imported_that_is_not_used() -> None:
    assert brought(IMPORT) == ["conversations_client", "_version", "False"]
    constructed = brought(CONSTRUCT.format(url="https://orq.example"))
    assert constructed == ["attr attrs conversations_client", TO_CONSTRUCT, "False"]
    with ScriptedServer([answer()]) as server:
        packages, modules, _ = brought(CREATE.format(url=server.url))
    # What httpx brings for a command line of its own, if it is there, is not ours.
    assert not {"cyclopts", "starlette", "uvicorn", "jsonschema", "pytest"} & set(packages.split())
    assert not {
        "_bulk",
        "_outcomes",
        "_streaming",
        "_reading",
        "events",
        "responses",
        "cli",
        "sandbox",
    } & set(modules.split())
