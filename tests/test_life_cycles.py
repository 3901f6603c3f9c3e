"""Clients that are forked, pickled, copied, closed, left open, or used in several event loops."""

import asyncio
import contextlib
import copy
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any
from weakref import ref

import anyio
import httpx
import pytest
from attrs import asdict, define, frozen
from interrupt_points import LIMIT_SECONDS, Tracer, few, time_limit
from pools import either, run_client
from scripted import CONVERSATION, ScriptedServer, always
from serving import AnsweringServer
from variants import KEY, Variant

from conversations_client import (
    AsyncClient,
    AsyncHooks,
    Client,
    ClientClosedError,
    ConfigurationError,
    ConnectError,
    DisconnectError,
    Hooks,
    RequestInfo,
    Retry,
    Timeout,
)
from conversations_client.sandbox import Sandbox

Clients = type[Client] | type[AsyncClient]
BOTH = pytest.mark.parametrize("cls", [Client, AsyncClient])


def create(client: Any) -> Any:
    return client.conversations.create()


# Forked.


def hundred_calls(client: Any, backend: str | None) -> None:
    async def call() -> None:
        for number in range(100):
            name = f"{os.getpid()} {number}"
            conversation = await either(client.conversations.create(display_name=name))
            assert conversation.display_name == name
        await either(client.close() if backend is None else client.aclose())

    if backend is None:
        with pytest.raises(StopIteration):
            call().send(None)
    else:
        anyio.run(call, backend=backend)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the event loop that warmed it up
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_four_forked_children_of_a_warm_client(variant: Variant) -> None:
    backend = None if variant.name == "sync" else variant.name
    with Sandbox() as sandbox:
        cls: Clients = Client if backend is None else AsyncClient
        client: Any = cls(sandbox.api_key, base_url=sandbox.url)
        warm = partial(hundred_calls, client, backend)
        if backend is None:
            create(client)
        else:
            anyio.run(create, client, backend=backend)
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=warm) for _ in range(4)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the sandbox's thread stays here
            for child in children:
                child.start()
        for child in children:
            child.join(timeout=60)
        assert [child.exitcode for child in children] == [0] * 4
        warm()
        gc.collect()


# Several event loops.


class WatchingServer(ScriptedServer):
    """Detects the end of a connection."""

    def __init__(self, script: Any) -> None:
        super().__init__(script)
        self.gone = threading.Semaphore(0)

    def _serve(self, connection: Any) -> None:
        super()._serve(connection)
        self.gone.release()


@pytest.fixture
def leaks() -> Iterator[list[str]]:
    """The warnings about objects that were not closed."""
    gc.collect()
    leaks: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        yield leaks
        gc.collect()
        leaks += [str(each.message) for each in caught]
    assert leaks == []


@pytest.mark.usefixtures("leaks")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_client_in_several_event_loops(backend: str) -> None:
    async def twice() -> None:
        assert [(await create(client)).id for _ in range(2)] == [CONVERSATION["_id"]] * 2

    async def last() -> None:
        await twice()
        await client.aclose()

    with WatchingServer(always()) as server:
        client = AsyncClient(KEY, base_url=server.url)
        for use in [twice, twice, last]:
            anyio.run(use, backend=backend)
            # The connection of this event loop is closed.
            assert server.gone.acquire(timeout=30)
        with pytest.raises(ClientClosedError):
            anyio.run(twice, backend=backend)
    assert (len(server.seen), server.connections) == (6, 3)


@pytest.mark.usefixtures("leaks")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_client_is_used_while_its_event_loop_ends(backend: str) -> None:
    ids: list[str] = []

    async def clean_up() -> Any:
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                ids.extend([(await create(client)).id for _ in range(2)])

    async def abandon() -> None:
        await create(client)
        kept.append(clean_up())
        await anext(kept[0])

    kept: list[Any] = []
    with WatchingServer(always()) as server:
        client = AsyncClient(KEY, base_url=server.url)
        anyio.run(abandon, backend=backend)
        for _ in range(server.connections):
            assert server.gone.acquire(timeout=30)
    assert ids == [CONVERSATION["_id"]] * 2


def test_an_event_loop_that_cannot_report_its_end() -> None:
    async def use() -> None:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            await create(client)
        finally:
            sys.set_asyncgen_hooks(*hooks)
        await client.aclose()

    with ScriptedServer(always()) as server:
        client = AsyncClient(KEY, base_url=server.url)
        anyio.run(use)


def test_an_event_loop_that_has_closed_its_generators() -> None:
    async def use() -> None:
        await asyncio.get_running_loop().shutdown_asyncgens()
        await create(client)
        await client.aclose()

    with ScriptedServer(always()) as server:
        client = AsyncClient(KEY, base_url=server.url)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            anyio.run(use)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_an_event_loop_ends_in_a_forked_child() -> None:
    async def use() -> None:
        await create(client)
        connections: Any = client._connections
        loop_end = connections._by_loop[asyncio.get_running_loop()].loop_end
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the server's thread stays here
            child = os.fork()
        if child == 0:
            try:
                loop_end.aclose().send(None)
            except StopIteration:
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)  # noqa: ASYNC222 - the child ends at once
        assert status == 0
        await create(client)
        await client.aclose()

    with ScriptedServer(always()) as server:
        client = AsyncClient(KEY, base_url=server.url)
        anyio.run(use)
    assert server.connections == 1


def test_an_event_loop_outlives_its_clients() -> None:
    async def use() -> None:
        client = AsyncClient(KEY, base_url=server.url)
        await create(client)
        connections: Any = client._connections
        pool = ref(connections._by_loop[asyncio.get_running_loop()])
        loop_end = connections._by_loop[asyncio.get_running_loop()].loop_end
        await client.aclose()
        del client, connections
        gc.collect()
        assert pool() is None
        await loop_end.aclose()

    with ScriptedServer(always()) as server:
        anyio.run(use)


class Loop:
    """The event loop of another thread."""


def test_another_threads_event_loop_may_come_while_closed_ones_are_forgotten() -> None:
    client = AsyncClient(KEY, base_url="http://127.0.0.1:9", retry=Retry(attempts=1))
    connections: Any = client._connections
    by_loop: Any = connections._by_loop
    loops = [Loop()]
    by_loop[loops[0]] = None

    def come(frame: FrameType, event: str, _: Any) -> Any:
        # At each line with which the dictionary iterates; its `__iter__` is `keys`.
        if frame.f_code.co_name != "keys" or frame.f_globals.get("__name__") != "weakref":
            return None
        loops.append(Loop())
        by_loop[loops[-1]] = None
        return come

    async def main() -> None:
        before = sys.gettrace()  # coverage's
        sys.settrace(come)
        try:
            with pytest.raises(ConnectError):
                await client.conversations.create()
        finally:
            sys.settrace(before)

    anyio.run(main)


# Pickled.


def hook(info: RequestInfo) -> None:
    pass


async def async_hook(info: RequestInfo) -> None:
    pass


@BOTH
def test_a_client_is_pickled_as_its_settings(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: Any = Hooks(on_request=hook) if cls is Client else AsyncHooks(on_request=async_hook)
    client = cls(
        KEY,
        base_url="https://orq.example",
        project_id="prj_1",
        timeout=Timeout(total=5),
        retry=Retry(attempts=7),
        extra_headers={"X-Team": "support", "User-Agent": "app/1"},
        max_connections=3,
        max_response_bytes=4,
        max_event_bytes=5,
        hooks=hooks,
    )
    pickled = pickle.dumps(client)
    assert KEY.encode() not in pickled
    monkeypatch.setenv("ORQ_API_KEY", "key-of-there")
    monkeypatch.setenv("ORQ_BASE_URL", "https://elsewhere.example")
    again = pickle.loads(pickled)
    assert type(again) is cls
    assert again._settings.api_key.reveal() == "key-of-there"
    ours, theirs = (asdict(each._settings, recurse=False) for each in (client, again))
    assert {**ours, "api_key": None} == {**theirs, "api_key": None}
    assert again._hooks == hooks


@BOTH
def test_an_unpickled_client_ignores_the_environment(
    cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickled = pickle.dumps(cls(KEY))
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    monkeypatch.setenv("ORQ_PROJECT_ID", "prj_of_there")
    assert pickle.loads(pickled).project_id is None
    assert cls().project_id == "prj_of_there"


@BOTH
def test_a_client_without_its_key_raises_an_error(cls: Any) -> None:
    pickled = pickle.dumps(cls(KEY))
    with pytest.raises(ConfigurationError, match="pickle_key=True"):
        pickle.loads(pickled)


@BOTH
def test_the_key_is_pickled_on_request(cls: Any) -> None:
    again = pickle.loads(pickle.dumps(cls(KEY, pickle_key=True)))
    assert again._settings.api_key.reveal() == KEY
    assert KEY.encode() in pickle.dumps(again)


def test_a_pickled_client_works(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        await either(create(client))
        again = pickle.loads(pickle.dumps(client))
        await either(create(again))
        await either(again.close() if variant.name == "sync" else again.aclose())
        await either(create(client))

    with ScriptedServer(always()) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url, pickle_key=True)
    assert (len(server.seen), server.connections) == (3, 2)


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (Client(KEY, http_client=httpx.Client()), "A Client with http_client can't be pickled"),
        (AsyncClient(KEY, http_client=httpx.AsyncClient()), "An? AsyncClient with http_client"),
        (Client(KEY, ssl_context=httpx.create_ssl_context()), "with ssl_context can't be pickled"),
        (
            Client(KEY, http_client=httpx.Client()).with_options(),
            "create it in the process that uses it",
        ),
    ],
)
def test_a_client_with_unpicklable_settings_is_not_pickled(client: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        pickle.dumps(client)


# Copied.


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_shares_connections_and_does_not_close_them(variant: Variant, copied: Any) -> None:
    async def scenario(client: Any) -> None:
        other = copied({"client": client})["client"] if copied is copy.deepcopy else copied(client)
        await either(create(client))
        await either(create(other))
        await either(other.close() if variant.name == "sync" else other.aclose())
        await either(create(client))
        assert other is not client

    with ScriptedServer(always()) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url)
    assert (len(server.seen), server.connections) == (3, 1)


# Subclasses.


class Tenant(Client):
    """A client with its own attribute and constructor."""

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(KEY, **options)
        self.tenant = tenant


class AsyncTenant(AsyncClient):
    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(KEY, **options)
        self.tenant = tenant


class SlottedTenant(Client):
    __slots__ = ("tenant",)

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(KEY, **options)
        self.tenant = tenant


@define
class AttrsTenant(AsyncClient):
    tenant: str
    pickle_key: bool

    def __attrs_post_init__(self) -> None:
        AsyncClient.__init__(self, KEY, pickle_key=self.pickle_key)


@frozen
class FrozenTenant(Client):
    tenant: str
    pickle_key: bool

    def __attrs_post_init__(self) -> None:
        Client.__init__(self, KEY, pickle_key=self.pickle_key)


def shallow(client: Any) -> Any:
    return copy.copy(client)


def deep(client: Any) -> Any:
    return copy.deepcopy(client)


def with_a_timeout(client: Any) -> Any:
    return client.with_options(timeout=1)


def pickled(client: Any) -> Any:
    return pickle.loads(pickle.dumps(client))


@pytest.mark.parametrize("cls", [Tenant, AsyncTenant, SlottedTenant, AttrsTenant, FrozenTenant])
@pytest.mark.parametrize("copied", [shallow, deep, pickled, with_a_timeout])
def test_a_subclass_keeps_its_attributes(cls: Any, copied: Any) -> None:
    client = cls("a", pickle_key=True)
    client.conversations  # noqa: B018 - it is cached
    again = copied(client)
    assert (type(again), again.tenant, again.base_url) == (cls, "a", client.base_url)
    assert again.conversations is not client.conversations


def test_a_lazy_attribute_is_documented_on_the_class() -> None:
    documented = Client.conversations.__doc__
    assert documented.startswith(
        "The operations on conversations, available as `client.conversations`.\n"
    )


# Parts of a client.

PARTS: dict[str, Callable[[Any], Any]] = {
    "conversations": lambda client: client.conversations,
    "raw conversations": lambda client: client.conversations.with_raw_response,
    "responses": lambda client: client.conversations.responses,
    "raw responses": lambda client: client.conversations.responses.with_raw_response,
    "a listing": lambda client: client.conversations.list(limit=2),
}
READERS: dict[str, Callable[[Any], Any]] = {
    "a stream": lambda client: client.conversations.responses.stream(
        "conv_1", message="a", model="a/b"
    ),
    "outcomes": lambda client: client.conversations.retrieve_many([]),
}


@BOTH
@pytest.mark.parametrize("part", [*PARTS.values(), *READERS.values()], ids=[*PARTS, *READERS])
def test_parts_of_a_client_cannot_be_pickled(cls: Any, part: Any) -> None:
    found = part(cls(KEY, pickle_key=True))
    with pytest.raises(TypeError, match=f"{type(found).__name__} can't be .*pickled: [pu]"):
        pickle.dumps({"part": found})


@BOTH
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_copy_of_a_part_uses_the_same_client(cls: Any, part: Any) -> None:
    found = part(cls(KEY))
    assert copy.copy(found) is found
    assert copy.deepcopy({"part": found})["part"] is found


@BOTH
@pytest.mark.parametrize("part", READERS.values(), ids=READERS)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_what_is_read_once_is_not_copied(cls: Any, part: Any, copied: Any) -> None:
    with pytest.raises(TypeError, match="can't be copied or pickled: use the"):
        copied(part(cls(KEY)))


# Closed.


@pytest.mark.parametrize("how", ["block", "method"])
def test_a_client_and_its_copies_know_that_they_are_closed(variant: Variant, how: str) -> None:
    is_sync = variant.name == "sync"
    client: Any = Client(KEY) if is_sync else AsyncClient(KEY)
    copied, opened = client.with_options(timeout=1), repr(client)

    def states() -> list[bool]:
        again = client.with_options()
        return [each.is_closed for each in (client, copied, copy.copy(client), again)]

    async def end(client: Any) -> None:
        if how == "method":
            await either(client.close() if is_sync else client.aclose())
        elif is_sync:
            with client:
                assert not client.is_closed
        else:
            async with client:
                assert not client.is_closed

    async def main() -> None:
        await end(copied)
        assert states() == [False] * 4
        assert repr(client) == opened
        await end(client)
        await either(client.close() if is_sync else client.aclose())
        assert states() == [True] * 4
        assert repr(client) == f"{opened[:-1]}, is_closed=True)"

    anyio.run(main, backend="trio" if variant.name == "trio" else "asyncio")


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_a_client_that_was_never_used_is_closed_without_an_import(cls: Any) -> None:
    async def close() -> None:
        client = cls(KEY)
        before = set(sys.modules)
        await either(client.close() if cls is Client else client.aclose())
        assert set(sys.modules) == before
        with pytest.raises(ClientClosedError):
            await either(create(client))

    anyio.run(close)


CLOSED_BY_A_FINALIZER = """
from conversations_client import Client

class Service:
    client = Client("k")

    def __del__(self):
        self.client.close()

service = Service()
"""


def test_a_client_is_closed_by_a_finalizer_at_the_end_of_the_interpreter() -> None:
    ended = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", CLOSED_BY_A_FINALIZER],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_signal_handler_can_close_the_client_at_any_line_of_a_call() -> None:
    """As in a SIGTERM handler, where a lock would deadlock."""
    with AnsweringServer() as server:
        tracer = Tracer()
        with Client(KEY, base_url=server.url) as client, tracer.tracing():
            create(client)
        for point in few(tracer.points, hits=1):
            client = Client(KEY, base_url=server.url, max_connections=1)
            closing = Tracer(at=point, action=client.close)
            with (
                time_limit(LIMIT_SECONDS),
                contextlib.suppress(ClientClosedError, DisconnectError),
                closing.tracing(),
            ):
                create(client)
            client.close()


class HeldServer(ScriptedServer):
    """Responds when the test allows it."""

    def __init__(self, script: Any) -> None:
        super().__init__(script)
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Event()

    def _reply(self, connection: Any) -> bool:
        self.asked.release()
        self.may_answer.wait(timeout=60)
        return super()._reply(connection)


def test_running_calls_of_threads_end_when_the_client_is_closed() -> None:
    ended: list[Any] = []
    with HeldServer(always()) as server:
        client = Client(KEY, base_url=server.url)
        threads = [threading.Thread(target=lambda: ended.append(create(client))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in threads:
            server.asked.acquire()
        client.close()
        with pytest.raises(ClientClosedError):
            create(client)
        server.may_answer.set()
        for thread in threads:
            thread.join()
    assert len(ended) == 4


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_running_calls_of_tasks_end_when_the_client_is_closed(backend: str) -> None:
    ended: list[Any] = []

    async def call(client: AsyncClient) -> None:
        ended.append(await create(client))

    async def main() -> None:
        client = AsyncClient(KEY, base_url=server.url)
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(call, client)
            for _ in range(4):
                await anyio.to_thread.run_sync(server.asked.acquire)
            await client.aclose()
            with pytest.raises(ClientClosedError):
                await create(client)
            server.may_answer.set()

    with HeldServer(always()) as server:
        anyio.run(main, backend=backend)
    assert len(ended) == 4


def test_a_call_is_not_retried_after_the_client_is_closed(variant: Variant) -> None:
    with ScriptedServer([b""]) as server, pytest.raises(DisconnectError) as raised:
        variant.run(create, api_key=KEY, base_url=server.url)
    assert raised.value.attempts == 1


# Left open.

LEFT_OPEN = {
    "sync": """
client = Client({key!r}, base_url={url!r})
print(client.conversations.create().id)
""",
    "sync, in a thread": """
import threading
client = Client({key!r}, base_url={url!r})
thread = threading.Thread(target=lambda: print(client.conversations.create().id))
thread.start()
""",
    "a stream": """
client = Client({key!r}, base_url={url!r})
conversation = client.conversations.create()
stream = client.conversations.responses.stream(conversation.id, message="Hi", model="sandbox/echo")
stream.__enter__()
print(conversation.id)
""",
    "asyncio": """
client = AsyncClient({key!r}, base_url={url!r})
async def main():
    print((await client.conversations.create()).id)
anyio.run(main)
""",
    "trio": """
client = AsyncClient({key!r}, base_url={url!r})
async def main():
    print((await client.conversations.create()).id)
anyio.run(main, backend="trio")
""",
    "never used": """
client = Client({key!r}), AsyncClient({key!r})
print("conv_")
""",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.mark.parametrize("script", LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_the_interpreter_exits_silently_with_an_open_client(sandbox: Sandbox, script: str) -> None:
    program = "import anyio\nfrom conversations_client import AsyncClient, Client\n" + script
    program = program.format(key=sandbox.api_key, url=sandbox.url)
    for options in ([], ["-W", "always::ResourceWarning"]):
        ended = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, *options, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == 0
        assert ended.stdout.startswith("conv_")
        # With these warnings on, Python reports sockets.
        assert ended.stderr == "" if not options else "Client" not in ended.stderr
