"""Rules for the whole package."""

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
from conversations_client._client.async_conversations import AsyncRawConversations
from conversations_client._client.conversations import RawConversations
from conversations_client._client.responses_resource import AsyncRawResponses, RawResponses
from conversations_client._engine.async_engine import AsyncEngine
from conversations_client._engine.engine import Engine

ROOT = Path(conversations_client.__file__).parent

# From top to bottom: a module imports only from its own folder and from those below it.
LAYERS = [
    "__init__",
    "_client",
    "_client/many",
    "_engine",
    "_http/transport",
    "_http/httpx_clients",
    "_http",
    "_http/network",
    "_http/connections",
    "_http/streams",
    "_sandbox_options",
    "_standard_streams",
    "_calls",
    "_sse",
    "_json",
    "responses",
    "events",
    "messages",
    "models",
    "hooks",
    "_fields",
    "errors",
    "_base",
]
# Modules for the commands of all packages, which don't use the client.
FOR_COMMANDS = {"conversations_client._sandbox_options", "conversations_client._standard_streams"}
PUBLIC_PACKAGES = {"bulk", "cli", "sandbox", "testing"}
HTTP_LIBRARIES = {"httpx", "httpcore", "httpx2", "httpcore2"}
IMPURE = {"os", "socket", "time", "random", "uuid", "anyio", "threading", "secrets", "logging"}
# Folders without I/O, clocks and randomness.
PURE = {"_calls", "_sse", "_json", "_fields", "_base"}
# Modules without I/O in folders that have some.
PURE_MODULES = {
    "_client/cursor",
    "_client/pages",
    "_client/stream_base",
    "_client/streams",
    "_client/many/operations",
    "_client/many/outcome",
    "_client/many/pending_request",
    "_client/many/rate_limiter",
    "_client/many/window",
    "_engine/engine_base",
    "_http/httpx_clients/buffered_bodies",
    "_http/httpx_clients/hook_detection",
    "_http/client_protocols",
    "_http/content_decoding",
    "_http/transport_errors",
    "_http/slot_queue",
    "_http/connections/connection_base",
    "_http/connections/common_parser",
    "_http/connections/h11_parser",
    "_http/connections/parser_protocol",
    "_http/connections/request_head",
    "_http/connections/wire",
    "_http/connections/opening",
    "_http/connections/proxy_handshakes",
    "_http/connections/route",
    "_http/requests",
    "_http/streams/errors",
    "_http/streams/interfaces",
    "_http/streams/limits",
    "_http/streams/tls_errors",
    "_http/streams/tls_stream",
    "_http/network/proxies",
    "_http/network/no_proxy",
    "_http/network/variables",
}


def imports(path: Path) -> set[str]:
    """The absolute names of the modules that a file imports."""
    found: set[str] = set()
    package = ".".join(path.relative_to(ROOT.parent).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = f"{package}.{node.module or ''}".rstrip(".") if node.level else node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names]
            found |= {name if is_module(name) else base for name in names}
    return found


def is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def layer_of(path: Path) -> str:
    """The folder of a module, or the module itself if it is a layer of its own."""
    module = stem(path)
    return module if module in LAYERS else module.rpartition("/")[0]


def stem(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix()


CORE = sorted(
    path
    for path in ROOT.rglob("*.py")
    # The root's __main__ only starts the command line.
    if path.relative_to(ROOT).parts[0] not in {*PUBLIC_PACKAGES, "__main__.py"}
)


def test_every_module_is_in_a_layer() -> None:
    assert {layer_of(path) for path in CORE} == set(LAYERS)


def test_folders_are_small_and_documented() -> None:
    folders: dict[Path, list[str]] = {}
    for path in ROOT.rglob("*.py"):
        folders.setdefault(path.parent, []).append(path.stem)
    for folder, modules in folders.items():
        assert len(modules) <= 16, folder
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder


@pytest.mark.parametrize("path", CORE, ids=stem)
def test_imports_point_only_down(path: Path) -> None:
    own = LAYERS.index(layer_of(path))
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "conversations_client" and rest:
            target = layer_of(ROOT.joinpath(*rest.split(".")).with_suffix(".py"))
            assert LAYERS.index(target) >= own, name
        assert top not in HTTP_LIBRARIES or stem(path) == "_http/httpx_clients/library", name
        pure = layer_of(path) in PURE or stem(path) in PURE_MODULES or own >= LAYERS.index("_calls")
        assert top not in IMPURE or not pure, name


# The layers of the sandbox, which shares no code with the client, from top to bottom:
SANDBOX = ROOT / "sandbox"
SANDBOX_LAYERS = [
    "__main__",
    "__init__",
    "_sandbox",
    "_clients",
    "_control_routes",
    "_controls",
    "_server",
    "_fault_injection",
    "_operations",
    "_replies",
    "_schemas",
    "_storage",
    "_argument_checks",
]
# Makes clients of a running sandbox, which then cross the network like any other.
MAKES_CLIENTS = "_clients.py"


def sandbox_layer(path: Path) -> int:
    return SANDBOX_LAYERS.index(path.relative_to(SANDBOX).parts[0].removesuffix(".py"))


@pytest.mark.parametrize(
    "path", sorted(SANDBOX.rglob("*.py")), ids=lambda path: path.relative_to(SANDBOX).as_posix()
)
def test_the_sandbox_imports_only_its_own_lower_layers(path: Path) -> None:
    for name in imports(path):
        top, _, rest = name.partition(".")
        if name == "conversations_client":
            assert path.name == MAKES_CLIENTS
        elif top == "conversations_client" and name not in FOR_COMMANDS:
            assert rest.startswith("sandbox"), name
            below = SANDBOX.joinpath(*rest.split(".")[1:], "x")
            target = "__init__" if rest == "sandbox" else below.relative_to(SANDBOX).parts[0]
            assert SANDBOX_LAYERS.index(target) >= sandbox_layer(path), name


# The layers of the packages for the command line and for files, from top to bottom:
CLI_LAYERS = [
    "__main__",
    "__init__",
    "_run",
    "_app",
    "_commands",
    "_chat",
    "_imports",
    "_open_files",
    "_retries",
    "_usage_errors",
    "_session",
    "_local_sandbox",
    "_completion",
    "_display",
    "_exit_codes",
    "_option_names",
    "_long_waits",
    "_os_errors",
    "_signals",
]
BULK_LAYERS = [
    "dask",
    "__init__",
    "_imports",
    "_exports",
    "_files",
    "_long_waits",
    "_database",
    "_text",
    "_arguments",
    "_errors",
]


@pytest.mark.parametrize(
    ("package", "layers"), [("cli", CLI_LAYERS), ("bulk", BULK_LAYERS)], ids=["cli", "bulk"]
)
def test_imports_of_public_packages_point_only_down(package: str, layers: list[str]) -> None:
    for path in sorted((ROOT / package).rglob("*.py")):
        own = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        for name in imports(path):
            if name.startswith(f"conversations_client.{package}."):
                assert layers.index(name.split(".")[2]) >= layers.index(own), (path, name)


@pytest.mark.parametrize("path", sorted(ROOT.glob("cli/**/*.py")), ids=lambda path: path.stem)
def test_the_command_line_uses_only_public_names(path: Path) -> None:
    cli = "conversations_client.cli"
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client") and not name.startswith(f"{cli}."):
            assert name in {
                "conversations_client",
                "conversations_client.bulk",
                "conversations_client.sandbox",
                *FOR_COMMANDS,
                cli,
            }


@pytest.mark.parametrize("path", sorted(ROOT.glob("bulk/**/*.py")), ids=lambda path: path.stem)
def test_bulk_uses_only_public_names(path: Path) -> None:
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client."):
            assert name.startswith("conversations_client.bulk.")


PROTOCOLS = ["__enter__", "__exit__", "__iter__", "__next__", "__del__"]
ASYNC_PROTOCOLS = ["__aenter__", "__aexit__", "__aiter__", "__anext__"]


# Converts the metadata of recorded calls with the client's own function.
CONVERTS_METADATA = ("_calls", "conversations_client._calls.arguments")


@pytest.mark.parametrize("path", sorted(ROOT.glob("testing/**/*.py")), ids=lambda path: path.stem)
def test_testing_uses_only_public_names(path: Path) -> None:
    testing = "conversations_client.testing"
    for name in imports(path):
        assert not name.startswith(".")
        if name.startswith("conversations_client") and (path.stem, name) != CONVERTS_METADATA:
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
    return text.replace("Async", "").replace("async_", "")


def sync_docstring(function: FunctionType) -> str:
    """A docstring without the async parts of its example."""
    text = inspect.getdoc(function) or ""
    before, heading, example = text.partition("Example:\n")
    for word, replacement in (
        ("async ", ""),
        ("await anext", "next"),
        ("await ", ""),
        ("Async", ""),
        ("aclose", "close"),
    ):
        example = example.replace(word, replacement)
    return before + heading + " ".join(example.split())


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
        assert sync_docstring(function) == sync_docstring(theirs[name])


def test_all_lists_every_public_name(monkeypatch: pytest.MonkeyPatch) -> None:
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
# A module that Debian's Python 3.15 generates.
print(*sorted(brought - sys.stdlib_module_names - {{'_missing_stdlib_info'}}))
print(*sorted(name.removeprefix("conversations_client.") for name in sys.modules if name.startswith("conversations_client.")))
print("asyncio" in sys.modules)
"""
IMPORT = "import conversations_client"
CONSTRUCT = "from conversations_client import Client; client = Client('k', base_url='{url}')"
CREATE = f"{CONSTRUCT}; client.conversations.create()"
TO_CONSTRUCT = (
    "_base _base.cached_attribute _base.headers _base.hosts _base.http_dates _base.lazy_annotations _base.lazy_imports _base.public_dir _base.secret _base.unset _base.version _calls "
    "_calls.operation "
    "_calls.retry _calls.retry_after _calls.settings _client _client.client _client.client_base _client.client_settings "
    "_client.fork_safety _client.shared_connections "
    "_fields _fields.validators errors hooks"
)


def brought(program: str) -> list[str]:
    """The packages and own modules that a new program imports, and whether it imports asyncio."""
    line = [sys.executable, "-c", USED.format(program=program)]
    output = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603
    return output.splitlines()


def test_importing_the_client_imports_only_what_it_uses() -> None:
    assert brought(IMPORT) == ["conversations_client", "_base _base.version", "False"]
    constructed = brought(CONSTRUCT.format(url="https://orq.example"))
    assert constructed == ["attr attrs conversations_client", TO_CONSTRUCT, "False"]
    with ScriptedServer([answer()]) as server:
        packages, modules, _ = brought(CREATE.format(url=server.url))
    # httpx may import packages for its own command line.
    assert not {"cyclopts", "starlette", "uvicorn", "jsonschema", "pytest"} & set(packages.split())
    assert not {
        "_client.many.window",
        "_client.many.sync_outcomes",
        "_client.many.async_outcomes",
        "_client.streams",
        "_sse.event_stream",
        "events",
        "responses",
        "cli",
        "sandbox",
    } & set(modules.split())
