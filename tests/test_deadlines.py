"""Every wait of a connection has a timeout: lookups, handshakes, writes and reads."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from certificates import client_context, server_context
from faulty import FaultyServer, Step, Visit, receive, receive_start, silence, trickled
from injected import STACKS, made, run
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import (
    AsyncClient,
    ConnectError,
    ConnectTimeoutError,
    ConversationsError,
    DeadlineError,
    Delivery,
    IdleTimeoutError,
    Retry,
    StatusError,
    Timeout,
)
from conversations_client._http.connections import sync_connection
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.httpx_clients.deadlines import Timeouts
from conversations_client._http.streams import addresses, clock, errors
from conversations_client._http.streams.limits import countdown

ONCE = Retry(attempts=1)
OPEN = b"HTTP/1.1 200 OK\r\n\r\n"
LARGE = {"text": "x" * 40_000_000}


def found(*hosts: str) -> Callable[..., list[str]]:
    """A lookup that returns these addresses."""

    def look_up(*_: object) -> list[str]:
        return list(hosts)

    return look_up


def create(client: Any) -> Any:
    return client.conversations.create()


def send_much(client: Any) -> Any:
    return client.request("POST", "/v2/x", returns=dict, body=LARGE)


def twice(client: Any) -> Any:
    """Send a large request that fails, and another one; awaitable for an AsyncClient."""
    if isinstance(client, AsyncClient):
        return _twice(client)
    with contextlib.suppress(ConversationsError):
        send_much(client)
    return send_much(client)


async def _twice(client: AsyncClient) -> None:
    with contextlib.suppress(ConversationsError):
        await send_much(client)
    await send_much(client)


def timed(action: Callable[[], Any], expected: type[ConversationsError]) -> tuple[Any, float]:
    """The error of an action, and its duration in seconds."""
    started = time.monotonic()
    with pytest.raises(expected) as raised:
        action()
    return raised.value, time.monotonic() - started


# A peer that reads slowly, or sends slowly.


def read_slowly(connection: socket.socket, server: FaultyServer) -> None:
    while connection.recv(2**18):
        if server.is_over.wait(0.05):
            return


def sips(visit: Visit) -> None:
    """Read some of a request from time to time, often enough for any idle timeout."""
    read_slowly(visit.connection, visit.server)


def encrypted(tls: ssl.SSLContext, then: Callable[[Any, FaultyServer], None]) -> Step:
    """Act as the server at the end of a tunnel."""

    def step(visit: Visit) -> None:
        with tls.wrap_socket(visit.connection, server_side=True) as inner:
            then(inner, visit.server)

    return step


@pytest.fixture(params=["http", "https", "forwarded", "tunnelled", "https proxy"])
def slow_reader(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> Iterator[str]:
    """The URL of a service that reads slowly, with or without a proxy."""
    inner = encrypted(server_context(authority, "api.invalid"), read_slowly)
    own = server_context(authority, "127.0.0.1")
    ways: dict[str, tuple[list[Step], ssl.SSLContext | None]] = {
        "http": ([sips], None),
        "https": ([sips], own),
        "forwarded": ([sips], None),
        "tunnelled": ([receive, OPEN, inner], None),
        "https proxy": ([receive, OPEN, Relayed(server_context(authority, "api.invalid"))], own),
    }
    steps, tls = ways[request.param]
    with FaultyServer(steps, tls=tls) as server:
        if request.param in {"http", "https"}:
            yield server.url
            return
        monkeypatch.setenv("all_proxy", server.url)
        yield "http://api.invalid" if request.param == "forwarded" else "https://api.invalid"


class Relayed:
    """The end of a tunnel in an encrypted connection, which `wrap_socket` doesn't support."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls

    def __call__(self, visit: Visit) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = self._tls.wrap_bio(incoming, outgoing, server_side=True)
        steps: list[Callable[[], Any]] = [inner.do_handshake]
        while not visit.server.is_over.wait(0.05 * (not steps)):
            try:
                (steps.pop if steps else lambda: lambda: inner.read(2**14))()()
            except ssl.SSLWantReadError:
                steps += [inner.do_handshake] * (inner.version() is None)
                visit.connection.sendall(outgoing.read())
                data = visit.connection.recv(2**14)
                if not data:
                    return
                incoming.write(data)


def test_the_deadline_applies_while_a_request_is_sent(
    variant: Variant, slow_reader: str, authority: trustme.CA
) -> None:
    for total in (0.5, 1, 2, 4, 8):
        error, seconds = timed(
            partial(
                variant.run,
                send_much,
                api_key=KEY,
                base_url=slow_reader,
                allow_plain_http=True,
                ssl_context=client_context(authority),
                timeout=Timeout(total=total),
            ),
            DeadlineError,
        )
        assert seconds < total + 2.5
        if (
            error.delivery is not Delivery.UNSENT
        ):  # otherwise a busy machine doesn't connect in time
            break
    assert error.delivery is Delivery.UNKNOWN


def read_no_more(visit: Visit) -> None:
    """Keep the connection open."""
    visit.server.is_over.wait()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("timeout", [Timeout(idle=1), Timeout(total=1)])
def test_a_response_to_a_request_that_the_service_does_not_read(
    variant: Variant, authority: trustme.CA, scheme: str, timeout: Timeout
) -> None:
    tls = server_context(authority, "127.0.0.1") if scheme == "https" else None
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    steps: list[Step] = [
        receive_start,
        early + answer(413, {"message": "Too large."}),
        read_no_more,
    ]

    with FaultyServer(steps, tls=tls) as server, pytest.raises(StatusError) as raised:
        variant.run(
            twice,
            api_key=KEY,
            base_url=server.url,
            ssl_context=client_context(authority),
            timeout=timeout,
        )
    error = raised.value
    assert (error.status, error.service_message, error.delivery, error.attempts) == (
        413, "Too large.", Delivery.REFUSED, 1,
    )  # fmt: skip
    # The service would take the next request for the rest of this one.
    assert server.connections == 2


def test_interim_responses_to_a_request_that_the_service_does_not_read(variant: Variant) -> None:
    steps: list[Step] = [receive_start, b"HTTP/1.1 103 Early Hints\r\n\r\n", read_no_more]
    with FaultyServer(steps) as server, pytest.raises(IdleTimeoutError) as raised:
        variant.run(send_much, api_key=KEY, base_url=server.url, timeout=Timeout(idle=0.5))
    assert raised.value.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_deadline_applies_while_an_injected_client_sends(
    variant: Variant, authority: trustme.CA, scheme: str
) -> None:
    tls = server_context(authority, "127.0.0.1") if scheme == "https" else None

    async def send(client: Any) -> None:
        await client.request("POST", "/v2/x", returns=dict, body=LARGE)

    for stack in STACKS:
        with FaultyServer([sips], tls=tls) as server:
            make = made(stack, verify=client_context(authority))
            options: dict[str, Any] = {"base_url": server.url, "timeout": Timeout(total=1)}
            error, seconds = timed(partial(run, variant, make, send, **options), DeadlineError)
        assert error.delivery is Delivery.UNKNOWN
        assert seconds < 3


def test_the_library_gets_the_remaining_time_at_each_step() -> None:
    now = 100.0
    limits = RequestLimits(connect=5, idle=3, deadline=104, clock=lambda: now)
    timeouts = Timeouts(limits)
    assert timeouts == {"connect": 4, "read": 3, "write": 3, "pool": 4}
    now = 103.0
    assert (timeouts["write"], timeouts.get("read"), timeouts.get("other", 7)) == (1, 1, 7)
    now = 105.0
    assert (
        timeouts["read"] == 0.001
    )  # with 0 the library wouldn't wait, and aiohttp would wait forever


class Dripping(ScriptedServer):
    """A relay that forwards the bytes of a server one by one."""

    def __init__(self, server: ScriptedServer) -> None:
        super().__init__([])
        self._port = urlsplit(server.url).port or 0
        self._is_over = threading.Event()
        self.url = server.url.rpartition(":")[0] + ":" + self.url.rpartition(":")[2]

    def _converse(self, connection: socket.socket, stream: Any) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            passing = threading.Thread(target=self._drip, args=(server, connection))
            passing.start()
            while data := connection.recv(2**16):
                server.sendall(data)
            self._is_over.set()
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            passing.join()

    def _drip(self, server: socket.socket, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self._is_over.wait(0.02) and (data := server.recv(1)):
                connection.sendall(data)


def test_a_slow_handshake_is_a_connect_timeout(variant: Variant, authority: trustme.CA) -> None:
    with (
        ScriptedServer([answer()], tls=server_context(authority, "127.0.0.1")) as server,
        Dripping(server) as dripping,
    ):
        _, seconds = timed(
            lambda: variant.run(
                create,
                api_key=KEY,
                base_url=dripping.url,
                ssl_context=client_context(authority),
                timeout=Timeout(connect=0.3),
                retry=ONCE,
            ),
            ConnectTimeoutError,
        )
    assert seconds < 3


@pytest.mark.parametrize("part", ["head", "body", "record"])
def test_a_slow_response_ends_at_the_deadline(
    variant: Variant, authority: trustme.CA, part: str
) -> None:
    begun = b"HTTP/1.1 201 Created\r\nContent-Length: 9999\r\n\r\n"
    parts: dict[str, list[Step]] = {
        "head": [trickled(begun)],
        "body": [begun, trickled(b"x" * 999)],
        "record": [endless],
    }
    tls = server_context(authority, "127.0.0.1") if part == "record" else None
    with FaultyServer([receive, *parts[part]], tls=tls) as server:
        error, seconds = timed(
            lambda: variant.run(
                create,
                api_key=KEY,
                base_url=server.url,
                ssl_context=client_context(authority),
                timeout=1,
            ),
            DeadlineError,
        )
    assert error.delivery is Delivery.UNKNOWN
    assert seconds < 3


def endless(visit: Visit) -> None:
    """Send the beginning of an encrypted record, byte by byte."""
    raw = socket.socket(fileno=socket.dup(visit.connection.fileno()))
    with raw, contextlib.suppress(OSError):
        for byte in b"\x17\x03\x03\x40\x00" + bytes(100):
            raw.sendall(bytes([byte]))
            if visit.server.is_over.wait(0.1):
                return


# One timeout for all steps that open a connection.


def late(visit: Visit) -> None:
    visit.server.is_over.wait(1.8)


@pytest.mark.parametrize("slow_lookup", [False, True])
def test_the_steps_of_a_connection_share_one_limit(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, slow_lookup: bool
) -> None:
    over = threading.Event()
    look_up = socket.getaddrinfo

    def look_up_slowly(host: str, *details: Any, **options: Any) -> Any:
        over.wait(1.8 * (host == "api.invalid"))
        return look_up("127.0.0.1", *details, **options)

    with FaultyServer([silence] if slow_lookup else [receive, late, OPEN, silence]) as server:
        if slow_lookup:
            monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
        else:
            monkeypatch.setenv("https_proxy", server.url)
        error, seconds = timed(
            lambda: variant.run(
                create,
                api_key=KEY,
                base_url=f"https://api.invalid:{urlsplit(server.url).port}",
                timeout=Timeout(connect=2),
                retry=ONCE,
            ),
            ConnectTimeoutError,
        )
        over.set()
    assert error.delivery is Delivery.UNSENT
    assert seconds < 3.2  # a second limit would add 2 s


# Name lookups.


def lookups() -> int:
    return sum(thread.name == "name lookup" for thread in threading.enumerate())


def test_a_hanging_lookup_times_out_and_uses_one_thread(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Try again")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def attempt(seconds: float) -> None:
        variant.run(
            create,
            api_key=KEY,
            base_url="https://api.invalid",
            timeout=Timeout(connect=seconds),
            retry=ONCE,
        )

    before = lookups()
    results = [timed(partial(attempt, 0.1), ConnectTimeoutError) for _ in range(3)]
    assert lookups() == before + 1
    over.set()
    for thread in threading.enumerate():
        if thread.name == "name lookup":
            thread.join()
    assert {error.delivery for error, _ in results} == {Delivery.UNSENT}
    assert max(seconds for _, seconds in results) < 3
    # The next lookup starts again.
    timed(partial(attempt, 60), ConnectError)


def test_a_lookup_without_a_limit(variant: Variant) -> None:
    with ScriptedServer([answer()]) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        unlimited = Timeout(total=None, connect=None)
        assert variant.run(create, api_key=KEY, base_url=url, timeout=unlimited).id


def test_a_lookup_without_a_free_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(addresses, "_look_up", found("192.0.2.1"))
    assert addresses.addresses("api.invalid", 1, 1.0) == ["192.0.2.1"]
    assert addresses._lookups == {}


def test_an_interrupt_leaves_no_endless_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupting:
        interrupting.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            addresses.addresses("api.invalid", 1, 1.0)
    monkeypatch.setattr(addresses, "_look_up", found("192.0.2.1"))
    assert addresses.addresses("api.invalid", 1, 1.0) == ["192.0.2.1"]


# Clocks.


def test_a_system_without_clock_gettime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "clock_gettime")
    first = clock.real_clock()()
    assert clock.real_clock()() >= first


# Several addresses of one host.

ADDRESSES = ["2001:db8::1", "192.0.2.1", "192.0.2.2"]


class Network:
    """Gives each connection attempt the next outcome."""

    def __init__(self, *outcomes: Any) -> None:
        self.attempts: list[tuple[str, float | None]] = []
        self._outcomes = iter(outcomes)

    def connect(self, address: tuple[str, int], timeout: float | None) -> Any:
        self.attempts.append((address[0], timeout))
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


SILENT, REFUSING = TimeoutError(), ConnectionRefusedError()


@pytest.mark.parametrize(
    ("outcomes", "limit", "shares", "expected"),
    [
        ([SILENT, REFUSING, "socket"], 6.0, [2.0, 3.0, 6.0], None),
        ([REFUSING, "socket"], 6.0, [2.0, 3.0], None),
        ([SILENT, SILENT, REFUSING], 6.0, [2.0, 3.0, 6.0], errors.ConnectError),
        ([REFUSING, REFUSING, SILENT], 6.0, [2.0, 3.0, 6.0], errors.ConnectTimeout),
        ([REFUSING, "socket"], None, [None, None], None),
        ([], 1e-9, [], errors.ConnectTimeout),
    ],
)
def test_each_address_of_a_host_gets_a_share_of_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Any],
    limit: float | None,
    shares: list[float | None],
    expected: type[Exception] | None,
) -> None:
    network = Network(*[unconnected() if each == "socket" else each for each in outcomes])
    monkeypatch.setattr(socket, "create_connection", network.connect)
    monkeypatch.setattr(addresses, "_look_up", found(*ADDRESSES))
    with pytest.raises(expected) if expected else contextlib.nullcontext():
        sync_connection._connect_tcp("api.invalid", 443, countdown(limit)).close()
    assert [host for host, _ in network.attempts] == ADDRESSES[: len(shares)]
    for (_, given), share in zip(network.attempts, shares, strict=True):
        assert given == (None if share is None else pytest.approx(share, abs=0.5))


def unconnected() -> socket.socket:
    return socket.socket()
