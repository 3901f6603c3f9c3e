"""Closes a connection during a read, and limits the reuse of idle connections."""

import contextlib
import itertools
import math
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import trustme
from certificates import client_context, server_context
from faulty import FaultyServer, Step, receive, silence, trickled
from hypothesis import given
from hypothesis import strategies as st
from injected import STACKS
from pools import Driven, either, run, run_client
from scripted import ScriptedServer, always, answer
from streaming import END, HALF, STARTED, Awaited, chunk, head
from variants import KEY, Variant

from conversations_client import Client, ConnectError, Retry, StreamClosedError
from conversations_client._engine import response_body
from conversations_client._http.connections import connection_base
from conversations_client._http.connections.connection_base import (
    KEEPALIVE_SECONDS,
    keepalive_seconds,
)
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.httpx_clients.bodies import AsyncHTTPXBody, HTTPXBody
from conversations_client._http.streams import sync_stream
from conversations_client._http.streams.errors import ReadError, WriteError
from conversations_client._http.streams.sync_stream import SocketStream

SECONDS = 5.0
NOTHING: dict[str, Any] = {}


# Streams.


def is_read(body: Any) -> bool:
    """Whether a thread waits for a chunk of a response."""
    return body._reader is not None if isinstance(body, HTTPXBody) else bool(body.stream._users)


@contextlib.contextmanager
def reading(stream: Any) -> Generator[list[BaseException]]:
    """Start a thread that waits for the next event of a stream."""
    raised: list[BaseException] = []

    def read() -> None:
        try:
            next(stream)
        except StreamClosedError as error:
            raised.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    body = stream._body._response.body
    deadline = time.monotonic() + SECONDS
    while not is_read(body) and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    yield raised
    thread.join(SECONDS)
    assert not thread.is_alive()


@pytest.mark.parametrize("encrypted", [False, True])
def test_closing_a_stream_wakes_a_thread_that_reads_it(
    authority: trustme.CA, encrypted: bool
) -> None:
    tls = server_context(authority, "127.0.0.1") if encrypted else None
    with (
        FaultyServer([receive, head() + chunk(STARTED), silence], tls=tls) as server,
        Client(
            KEY, base_url=server.url, ssl_context=client_context(authority), max_connections=1
        ) as client,
    ):
        for _ in range(2):
            stream = client.conversations.responses.stream("conv_1", message="x", model="a/b")
            with stream:
                next(stream)
                with reading(stream) as raised:
                    started = time.monotonic()
                    stream.close()
                assert time.monotonic() - started < SECONDS
                assert [type(error) for error in raised] == [StreamClosedError]
                assert "closed while it was being read" in str(raised[0])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_closing_a_stream_that_ends_with_its_connection_wakes_its_reader(backend: str) -> None:
    async def scenario(client: Any) -> None:
        async with client.conversations.responses.stream("c", message="x", model="a/b") as stream:
            await anext(stream)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(close_soon, stream)
                with pytest.raises(StreamClosedError, match="closed while it was being read"):
                    await anext(stream)

    kind = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    with FaultyServer([receive, kind + STARTED, silence]) as server:
        run_client(Variant(backend), scenario, api_key=KEY, base_url=server.url)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_closing_a_stream_over_an_injected_client_wakes_its_reader(
    stack: Any, authority: trustme.CA, encrypted: bool
) -> None:
    tls = server_context(authority, "127.0.0.1") if encrypted else None
    with (
        FaultyServer([receive, head() + chunk(STARTED), silence], tls=tls) as server,
        stack.Client(
            verify=client_context(authority), limits=stack.Limits(max_connections=1)
        ) as own,
        Client(KEY, base_url=server.url, http_client=own) as client,
    ):
        for _ in range(2):
            with client.conversations.responses.stream("c", message="x", model="a/b") as stream:
                next(stream)
                with reading(stream) as raised:
                    started = time.monotonic()
                    stream.close()
                assert time.monotonic() - started < SECONDS
                assert [type(error) for error in raised] == [StreamClosedError]


async def close_soon(stream: Any) -> None:
    while not stream._is_being_read:
        await anyio.lowlevel.checkpoint()
    await stream.aclose()


class Paused(httpx.SyncByteStream):
    """A body whose second chunk arrives when the response is closed."""

    def __init__(self) -> None:
        self.is_closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield STARTED
        self.is_closed.wait(SECONDS)

    def close(self) -> None:
        self.is_closed.set()


@pytest.mark.parametrize(
    "extensions",
    [
        {},
        {"network_stream": SimpleNamespace(get_extra_info=NOTHING.get)},
        {
            "network_stream": SimpleNamespace(get_extra_info={"socket": socket.socket()}.get),
            "http_version": b"HTTP/2",
        },
    ],
)
def test_a_response_whose_connection_cannot_be_shut_down_is_closed(
    extensions: dict[str, Any],
) -> None:
    body = Paused()
    kind = {"Content-Type": "text/event-stream"}

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=kind, stream=body, extensions=extensions)

    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as own,
        Client(KEY, http_client=own) as client,
        client.conversations.responses.stream("c", message="x", model="a/b") as stream,
    ):
        next(stream)
        with reading(stream) as raised:
            stream.close()
            assert body.is_closed.is_set()
        assert [type(error) for error in raised] == [StreamClosedError]


@pytest.mark.parametrize("rest", [[silence], [trickled(chunk(b": still here\n\n") * 99)]])
def test_closing_waits_briefly_for_the_end_of_a_finished_stream(
    variant: Variant, rest: list[Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reading the end has its own timeout besides that of closing a connection.
    monkeypatch.setattr(response_body, "CLOSING_SECONDS", 60.0)

    async def scenario(client: Any) -> None:
        started = time.monotonic()
        stream = client.conversations.responses.stream("conv_1", message="x", model="a/b")
        async with Awaited(stream) if variant.name == "sync" else stream as events:
            await events.collect()
        assert time.monotonic() - started < SECONDS

    begun = head() + b"".join(map(chunk, (HALF, END)))
    with FaultyServer([receive, begun, *rest]) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url)


class Endless(AsyncIterator[bytes]):
    """A body with one chunk and no end."""

    def __init__(self) -> None:
        self._chunks = itertools.repeat(b"x", 1)

    async def __anext__(self) -> bytes:
        for first in self._chunks:
            return first
        await anyio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_closing_waits_briefly_for_the_end_of_an_injected_body(backend: str) -> None:
    limits = RequestLimits(connect=None, idle=None, deadline=math.inf, clock=lambda: 0)

    async def main() -> None:
        body = AsyncHTTPXBody(SimpleNamespace(stream=Endless()), limits)
        assert await anext(body) == b"x"
        with anyio.fail_after(SECONDS):
            await body.drain(0.01)

    anyio.run(main, backend=backend)


# Sockets.


class Slow(socket.socket):
    """A socket whose reader returns slowly after it is woken."""

    def __init__(self, *details: Any, **options: Any) -> None:
        super().__init__(*details, **options)
        self.enters = threading.Event()
        self.may_leave = threading.Event()

    def recv(self, size: int, flags: int = 0) -> bytes:
        self.enters.set()
        data = super().recv(size, flags)
        self.may_leave.wait(SECONDS)
        return data


@pytest.fixture
def pair() -> Iterator[tuple[Slow, socket.socket]]:
    ours, theirs = socket.socketpair()
    slow = Slow(ours.family, ours.type, ours.proto, ours.detach())
    with slow, theirs:
        yield slow, theirs


def test_a_descriptor_is_not_closed_under_its_reader(pair: tuple[Slow, socket.socket]) -> None:
    slow, theirs = pair
    stream = SocketStream(slow)
    raised: list[BaseException] = []

    def read() -> None:
        try:
            stream.read(1)
        except ReadError as error:
            raised.append(error)

    theirs.send(b"x")
    thread = threading.Thread(target=read)
    thread.start()
    assert slow.enters.wait(SECONDS)
    stream.close()
    assert slow.fileno() != -1
    slow.may_leave.set()
    thread.join(SECONDS)
    assert (slow.fileno(), len(raised)) == (-1, 1)


def test_a_closed_connection_is_not_touched(pair: tuple[Slow, socket.socket]) -> None:
    slow, _ = pair
    stream = SocketStream(slow)
    stream.close()
    stream.close()
    with pytest.raises(ReadError, match="closed"):
        stream.read(1)
    with pytest.raises(WriteError, match="closed"):
        stream.write(b"x")
    assert not slow.enters.is_set()
    assert slow.fileno() == -1
    assert stream.get_extra_info("is_readable")


def test_a_signal_handler_can_close_the_connection_its_thread_reads(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[Slow, socket.socket]
) -> None:
    slow, theirs = pair
    stream = SocketStream(slow)

    def interrupted(*_: Any) -> bytes:
        socket.socket.recv(slow, 1)
        stream.close()
        assert slow.fileno() != -1
        return b"late"

    theirs.send(b"x")
    monkeypatch.setattr(Slow, "recv", interrupted)
    with pytest.raises(ReadError, match="closed"):
        stream.read(4)
    assert slow.fileno() == -1
    assert theirs.recv(1) == b""


def test_a_forked_child_does_not_close_the_connection_of_its_parent(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[Slow, socket.socket]
) -> None:
    slow, theirs = pair
    with slow.dup() as parents:
        inherited = SocketStream(slow)
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: 0)
            inherited.close()
        assert slow.fileno() == -1
        theirs.send(b"x")
        assert parents.recv(1) == b"x"


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_what_a_connection_reports(
    variant: Variant, authority: trustme.CA, is_encrypted: bool
) -> None:
    async def scenario() -> None:
        driven = Driven(variant, server.url, size=1, ssl_context=client_context(authority))
        response = await driven.ask()
        stream: Any = response.body.stream
        port = int(server.url.rpartition(":")[2])
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        assert stream.get_extra_info("client_addr")[0] == "127.0.0.1"
        assert stream.get_extra_info("socket").fileno() > 0
        tls = stream.get_extra_info("ssl_object")
        assert (tls and tls.version()) == ("TLSv1.3" if is_encrypted else None)
        assert stream.get_extra_info("unknown") is None
        await driven.read(response)
        assert stream.get_extra_info("is_readable") is False
        await driven.close()

    with ScriptedServer(
        always(), tls=server_context(authority, "127.0.0.1") if is_encrypted else None
    ) as server:
        run(variant, scenario)


def test_a_connection_that_cannot_be_set_up_is_closed(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[Slow, socket.socket]
) -> None:
    slow, theirs = pair

    def refuse(*_: object) -> None:
        raise OSError("no such option")

    def connected(*_: object) -> Slow:
        return slow

    monkeypatch.setattr(Slow, "setsockopt", refuse, raising=False)
    monkeypatch.setattr(socket, "create_connection", connected)
    with (
        Client(KEY, base_url="http://127.0.0.1:9", retry=Retry(attempts=1)) as client,
        pytest.raises(ConnectError, match="no such option"),
    ):
        client.conversations.create()
    assert slow.fileno() == -1
    assert theirs.recv(1) == b""


def test_a_read_without_a_timeout_waits_until_there_is_data(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[Slow, socket.socket]
) -> None:
    slow, theirs = pair
    slow.may_leave.set()
    waits: list[float | None] = []

    def is_ready(_: object, __: int, seconds: float | None) -> bool:
        waits.append(seconds)
        if len(waits) == 2:
            theirs.send(b"x")
        return len(waits) == 2

    monkeypatch.setattr(sync_stream, "is_ready", is_ready)
    assert SocketStream(slow).read(4) == b"x"
    assert waits == [None, None]


def test_the_protocol_is_negotiated(variant: Variant, authority: trustme.CA) -> None:
    tls = server_context(authority, "127.0.0.1")
    tls.set_alpn_protocols(["http/1.1"])
    chosen: list[str | None] = []

    class Negotiating(ScriptedServer):
        def _converse(self, connection: Any, stream: Any) -> None:
            chosen.append(connection.selected_alpn_protocol())
            super()._converse(connection, stream)

    with Negotiating([answer()], tls=tls) as server:
        variant.run(
            lambda client: client.conversations.create(),
            api_key=KEY,
            base_url=server.url,
            ssl_context=client_context(authority),
        )
    assert chosen == ["http/1.1"]


# Idle connections.


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], KEEPALIVE_SECONDS),
        ([b"timeout=5"], 4.0),
        ([b"timeout=5, max=100"], 4.0),
        ([b"timeout=3"], 2.0),
        ([b"TIMEOUT = 3"], 2.0),
        ([b'timeout="3"'], 2.0),
        ([b"max=7;timeout=3"], 2.0),
        ([b"timeout=60"], KEEPALIVE_SECONDS),
        ([b"timeout=" + b"9" * 5000], KEEPALIVE_SECONDS),
        ([b"timeout=60", b"timeout=2"], 1.0),
        ([b"timeout=1"], 0.0),
        ([b"timeout=0"], 0.0),
        ([b"max=0"], 0.0),
        ([b"max=1"], KEEPALIVE_SECONDS),
        ([b"timeout=soon"], KEEPALIVE_SECONDS),
        ([b"xtimeout=1"], KEEPALIVE_SECONDS),
    ],
)
def test_how_long_an_idle_connection_is_reused(values: list[bytes], seconds: float) -> None:
    headers = [(b"Keep-Alive", value) for value in values]
    assert keepalive_seconds([(b"X", b"timeout=1"), *headers]) == seconds


def test_an_idle_connection_is_closed_before_common_services_close_it() -> None:
    assert KEEPALIVE_SECONDS <= 4


@given(st.binary(max_size=40))
def test_any_keep_alive_header_is_parsed(value: bytes) -> None:
    assert 0 <= keepalive_seconds([(b"keep-alive", value)]) <= KEEPALIVE_SECONDS


@pytest.mark.parametrize(
    ("header", "idle", "connections"),
    [
        ("timeout=3", 1.9, 1),
        ("timeout=3", 2.1, 2),
        ("timeout=60", 3.9, 1),
        ("timeout=60", 4.1, 2),
        ("timeout=1", 0, 2),
        ("timeout=9, max=0", 0, 2),
        ("timeout=9, max=1", 0, 1),
    ],
)
def test_a_connection_is_reused_as_long_as_the_service_announces(
    variant: Variant,
    monkeypatch: pytest.MonkeyPatch,
    header: str,
    idle: float,
    connections: int,
) -> None:
    now = [100.0]
    monkeypatch.setattr(connection_base, "monotonic", lambda: now[0])

    async def scenario(client: Any) -> None:
        for _ in range(2):
            await either(client.conversations.create())
            now[0] += idle

    with ScriptedServer([answer(Keep_Alive=header)] * 2) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url)
    assert (len(server.seen), server.connections) == (2, connections)
