"""Forks while another thread imports modules of the package."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from serving import AnsweringServer
from test_structure import CORE, ROOT, stem
from variants import KEY


def run(code: str, server: AnsweringServer, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a new process, with the key, the URL of the server, and these arguments."""
    # Python warns about modules that register fork hooks during a fork, such as concurrent.futures.
    return subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-W", "ignore", "-c", code, KEY, server.url, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


FORKED_WHILE = """
import importlib.abc, os, signal, sys, threading, time

class Slow(importlib.abc.MetaPathFinder):
    # Holds up an import, so that the fork comes in the middle of it.
    def find_spec(self, name, path, target=None):
        if name == sys.argv[3]:
            is_importing.set()
            time.sleep(0.3)

def call():
    from conversations_client import Client
    with Client(sys.argv[1], base_url=sys.argv[2]) as client:
        assert client.conversations.create().id
        with client.conversations.responses.stream("conv_1", message="Hi", model="a/b") as events:
            assert events.collect().text == "One two "
        with client.conversations.create_many([{}]) as outcomes:
            assert [outcome.index for outcome in outcomes] == [0]

is_importing = threading.Event()
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=call)
thread.start()
assert is_importing.wait(timeout=30)
child = os.fork()
if child == 0:
    signal.alarm(20)  # ends a child that hangs
    call()
    os._exit(0)
thread.join(timeout=30)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.parametrize(
    "module",
    [
        "conversations_client._client.client",
        "conversations_client._client.conversations",
        "conversations_client._engine.engine",
        "conversations_client._http.transport",
        "conversations_client._json.conversion",
        "conversations_client._http.sync_pool",
        "conversations_client._client.many.sync_outcomes",
    ],
)
def test_a_child_forked_during_an_import_can_make_calls(module: str) -> None:
    with AnsweringServer() as server:
        ended = run(FORKED_WHILE, server, module)
    assert ended.stdout == "0\n", ended.stderr


FORKED_AFTER_THE_HOOK = """
import importlib.abc, os, signal, sys, threading, time
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[3]:
            is_importing.set()
            time.sleep(1)

def call(client):
    assert client.conversations.create().id
    with client.conversations.create_many([{}]) as outcomes:
        assert [outcome.index for outcome in outcomes] == [0]

def call_after_hook():
    assert hook_has_run.wait(timeout=30)
    call(client)

def start_the_import():
    hook_has_run.set()
    is_importing.wait(timeout=0.1)

is_importing = threading.Event()
hook_has_run = threading.Event()
# Hooks run in reverse order of registration: this one runs after the package's.
os.register_at_fork(before=start_the_import)
sys.meta_path.insert(0, Slow())

from conversations_client import Client

client = Client(sys.argv[1], base_url=sys.argv[2])
thread = threading.Thread(target=call_after_hook)
thread.start()
child = os.fork()
if child == 0:
    signal.alarm(20)  # ends a child that hangs
    call(Client(sys.argv[1], base_url=sys.argv[2]))
    os._exit(0)
thread.join(timeout=30)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.parametrize(
    "module",
    [
        "conversations_client._client.conversations",
        "conversations_client._client.many.sync_outcomes",
    ],
)
def test_no_import_starts_between_the_hook_and_the_fork(module: str) -> None:
    with AnsweringServer() as server:
        ended = run(FORKED_AFTER_THE_HOOK, server, module)
    assert (ended.stdout, ended.stderr) == ("0\n", "")


FORKED_AT_ANY_TIME = """
import os, signal, sys, threading, time
from conversations_client import Client

def call(client):
    assert client.conversations.create().id

client = Client(sys.argv[1], base_url=sys.argv[2])
call(client)
failed = 0
for number in range(40):
    copies = [client.with_options() for _ in range(4)]
    threads = [threading.Thread(target=call, args=(copy,)) for copy in copies]
    for thread in threads:
        thread.start()
    time.sleep(number / 20_000)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        for copy in copies:
            call(copy)
        call(Client(sys.argv[1], base_url=sys.argv[2]))
        os._exit(0)
    for thread in threads:
        thread.join()
    failed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
print(failed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_child_forked_during_first_calls_can_make_calls() -> None:
    with AnsweringServer() as server:
        ended = run(FORKED_AT_ANY_TIME, server)
    assert (ended.stdout, ended.stderr) == ("0\n", "")


FORKED_WITH_A_LOCK = """
import logging  # whose hook must run later than this one
import os, signal, sys, threading

lock = threading.Lock()
is_locked = threading.Event()
hook_has_run = threading.Event()

def call():
    with lock:
        is_locked.set()
        assert hook_has_run.wait(timeout=30)
        client.conversations.create()

def acquire():
    hook_has_run.set()
    assert lock.acquire(timeout=20)
    lock.release()

os.register_at_fork(before=acquire)

from conversations_client import Client

client = Client(sys.argv[1], base_url=sys.argv[2])
thread = threading.Thread(target=call)
thread.start()
assert is_locked.wait(timeout=30)
child = os.fork()
if child == 0:
    signal.alarm(20)
    client.conversations.create()
    os._exit(0)
thread.join(timeout=30)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_hook_of_another_package_may_wait_for_the_thread_that_imports() -> None:
    with AnsweringServer() as server:
        ended = run(FORKED_WITH_A_LOCK, server)
    assert (ended.stdout, ended.stderr) == ("0\n", "")


IMPORTED_BEFORE = {
    # The event loop is running.
    "anyio",
    "anyio.lowlevel",
    "asyncio",
    # Pydantic calls the function.
    "pydantic",
    "pydantic_core",
    # These belong to `_client.many.sync_outcomes` and its twin, which are recorded first.
    "conversations_client._client.many.operations",
    "conversations_client._client.many.outcomes_base",
}
FOR_CALLS = """
import sys
from conversations_client import Client
from conversations_client._client.fork_safety import import_for_calls
import_for_calls()
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def imported_for_calls() -> frozenset[str]:
    arguments = [sys.executable, "-c", FOR_CALLS]
    printed = subprocess.check_output(arguments, text=True, timeout=60)  # noqa: S603 - this Python
    return frozenset(printed.split())


@pytest.mark.parametrize("path", CORE, ids=stem)
def test_a_fork_waits_for_every_import_of_a_function(
    path: Path, imported_for_calls: frozenset[str]
) -> None:
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            imported = imports(function, path)
            assert imported <= imported_for_calls | IMPORTED_BEFORE | recorded(function)


def imports(function: ast.AST, path: Path) -> set[str]:
    found: set[str] = set()
    package = path.relative_to(ROOT.parent).parent.parts
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            found.add(".".join([*parents, *filter(None, [node.module])]))
    return found


def recorded(function: ast.AST) -> set[str]:
    """The arguments of the calls to `lazy_import` in a function."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {
        argument.value
        for call in calls
        if ast.unparse(call.func) == "lazy_import"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
