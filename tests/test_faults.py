"""Faults of services and networks over raw sockets, in every variant."""

import contextlib
import inspect
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from attrs import define
from certificates import client_context, server_context
from fault_table import (
    CHUNKED,
    DELIVERY,
    FAULTS,
    HEAD,
    JSON,
    REPEATED,
    UNDECIDED,
    Fault,
)
from faulty import (
    FaultyServer,
    Step,
    Visit,
    await_request,
    endless,
    receive,
    reset,
    silence,
    trickled,
)
from pools import either, run_client
from scripted import CONVERSATION, HALF, ScriptedServer, answer
from variants import KEY, Variant, World, everything

from conversations_client import (
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectTimeoutError,
    ConversationsError,
    DeadlineError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    NotFoundError,
    ProxyError,
    RateLimitError,
    Retry,
    ServerError,
    StatusError,
    Timeout,
    TLSError,
)


def create(client: Any) -> Any:
    return client.conversations.create(display_name="Product Feature Discussion")


def retrieve(client: Any) -> Any:
    return client.conversations.retrieve("conv_01jj1hdhn79xas7a01wb3hysdb")


def listed(client: Any) -> Any:
    return everything(client.conversations.list())


def delete(client: Any) -> Any:
    return client.conversations.delete("conv_01jj1hdhn79xas7a01wb3hysdb")


def failure(
    variant: Variant, call: Callable[[Any], Any], *, world: World | None = None, **options: Any
) -> ConversationsError:
    """The error of a call, without exceptions of other libraries as its context."""
    with pytest.raises(ConversationsError) as raised:
        variant.run(call, world=world, api_key=KEY, **options)
    error = raised.value
    seen: BaseException | None = error
    while seen is not None:
        assert type(seen).__module__.startswith("conversations_client")
        seen = seen.__cause__ or seen.__context__
    return error


CALLS = pytest.mark.parametrize("call", [create, retrieve])


@CALLS
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_a_typed_error(
    variant: Variant, fault: Fault, call: Callable[[Any], Any]
) -> None:
    with FaultyServer(fault.steps) as server:
        error = failure(variant, call, world=World(), base_url=server.url, **fault.options)
    assert type(error) is fault.error
    assert fault.words in str(error)
    assert error.delivery is Delivery.UNKNOWN
    assert error.attempts == server.connections == (1 if call is create else fault.again)


BODIES = {"JSON": answer(500, {"message": "no"}), "HTML": answer(500, b"<p>no</p>"), "no": answer(500, b"")}  # fmt: skip


@CALLS
@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("status", UNDECIDED)
def test_a_status_is_a_typed_error_with_any_body(
    variant: Variant, status: int, kind: str, call: Callable[[Any], Any]
) -> None:
    reply = BODIES[kind].replace(b"500", str(status).encode(), 1)
    with ScriptedServer([reply] * 3) as server:
        error = failure(variant, call, world=World(), base_url=server.url)
    assert isinstance(error, StatusError)
    assert type(error) is {409: ConflictError, 429: RateLimitError}.get(
        status, StatusError if status < 500 else ServerError
    )
    assert (error.status, error.service_message) == (status, "no" if kind == "JSON" else None)
    assert error.delivery is DELIVERY[status]
    attempts = UNDECIDED[status] if call is retrieve or status in REPEATED else 1
    assert error.attempts == len(server.seen) == attempts


NOW = datetime.fromtimestamp(1_700_000_000, UTC)


def date(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (date(9), 9.0),
        (date(-9), 0.0),
        ("-7", 0.375),
        ("nan", 0.375),
        ("inf", 0.375),
        ("1e9", 0.375),
        ("soon", 0.375),
        ("\u0663", 0.375),
        ("7, 9", 9.0),
        ("7, soon", 0.375),
        (f"7, {date(9)}", 0.375),
    ],
)
def test_retry_after_is_honoured_or_ignored(variant: Variant, value: str, pause: float) -> None:
    for status in (429, 503):
        world = World()
        reply = answer(status, {}, Retry_After=value)
        with ScriptedServer([reply, answer()]) as server:
            if status == 503 and pause == 0.375:  # an invalid value has no effect
                error = failure(variant, create, world=world, base_url=server.url)
                assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)
            else:
                variant.run(create, world=world, api_key=KEY, base_url=server.url)
                assert world.pauses == [pause]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(variant: Variant, status: int) -> None:
    for call in (create, retrieve, listed):
        with ScriptedServer([answer()]) as elsewhere:
            reply = answer(status, b"", Location=f"{elsewhere.url}/v2/conversations")
            with ScriptedServer([reply] * 2) as server:
                error = failure(variant, call, world=World(), base_url=server.url)
        assert isinstance(error, StatusError)
        assert (error.status, elsewhere.connections) == (status, 0)
        assert "base_url" in str(error)


READABLE = {
    "200": answer(200),
    "a byte order mark": answer(body=b"\xef\xbb\xbf" + JSON),
    "no content type": b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(JSON), JSON),
    "HTTP/1.0 without a length": b"HTTP/1.0 201 Created\r\nConnection: close\r\n\r\n" + JSON,
    "a length and chunks": HEAD
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(JSON), JSON),
    "chunks and trailers": CHUNKED + b"%x;a=b\r\n%b\r\n0\r\nX: x\r\n\r\n" % (len(JSON), JSON),
    "continue first": b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + answer(),
    "10 MB": answer(body={**CONVERSATION, "later": "x" * 10**7}),
    "a key twice": answer(body=b'{"_id": "conv_1", ' + JSON[1:]),
}  # fmt: skip


@pytest.mark.parametrize("reply", READABLE.values(), ids=READABLE)
def test_unusual_but_valid_responses_are_read(variant: Variant, reply: bytes) -> None:
    with FaultyServer([receive, reply]) as server:
        conversation = variant.run(create, api_key=KEY, base_url=server.url)
    # The last of two equal keys counts, as usual for JSON.
    assert conversation.id == "conv_01jj1hdhn79xas7a01wb3hysdb"


def test_a_lone_surrogate_is_preserved(variant: Variant) -> None:
    reply = answer(body={**CONVERSATION, "displayName": "cut \ud83d"})
    with FaultyServer([receive, reply]) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url).display_name == "cut \ud83d"


# Data after a response must not become the next response.


@pytest.mark.parametrize(
    "first",
    [
        answer(204),
        answer(204, b"") + answer(201, {**CONVERSATION, "_id": "conv_of_somebody_else"}),
        answer(404, b"{}", Content_Length="0"),
    ],
)
def test_data_after_a_response_is_not_the_next_response(variant: Variant, first: bytes) -> None:
    async def scenario(client: Any) -> None:
        with contextlib.suppress(NotFoundError):
            await either(delete(client))
        conversation = await either(create(client))
        assert conversation.id == CONVERSATION["_id"]

    with ScriptedServer([first, answer()]) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url, max_connections=1)
    assert (len(server.seen), server.connections) == (2, 2)


# Deadlines with a real clock.

SLOW: dict[str, tuple[list[Step], float]] = {
    "silence": ([receive, silence], 0.2),
    "silence before reading": ([silence], 0.2),
    "silence in the headers": ([receive, HEAD, silence], 0.2),
    "silence in the body": ([receive, HALF, silence], 0.2),
    "headers byte by byte": ([receive, trickled(answer())], 0.3),
    "a body byte by byte": ([receive, HALF[:-4], trickled(JSON)], 0.3),
    "chunks byte by byte": ([receive, CHUNKED, trickled(b"1\r\n \r\n" * 100)], 0.3),
    "trailers again and again": ([receive, CHUNKED, b"0\r\n", trickled(b"X: x\r\n" * 100)], 0.3),
}
# Seconds that a call may exceed its deadline. A busy machine gets more attempts and more time;
# without a deadline, every row takes longer than the last attempt.
ALLOWANCES = (0.25, 0.5, 2.0)


@define
class Timed:
    """Measures a call without the time of the server and the event loop around it."""

    call: Callable[[Any], Any]
    seconds: float = 0.0

    def __call__(self, client: Any) -> Any:
        started = time.monotonic()
        try:
            result = self.call(client)
        finally:
            self.seconds = time.monotonic() - started
        return self._awaited(result, started) if inspect.isawaitable(result) else result

    async def _awaited(self, result: Awaitable[Any], started: float) -> Any:
        try:
            return await result
        finally:
            self.seconds = time.monotonic() - started


def in_time(attempt: Callable[[Timed], Any], call: Callable[[Any], Any], seconds: float) -> None:
    """Check that a call ends in time."""
    for allowance in ALLOWANCES[:-1]:
        with contextlib.suppress(AssertionError):
            attempt_in_time(attempt, call, seconds + allowance)
            return
    attempt_in_time(attempt, call, seconds + ALLOWANCES[-1])


def attempt_in_time(
    attempt: Callable[[Timed], Any], call: Callable[[Any], Any], seconds: float
) -> None:
    timed = Timed(call)
    attempt(timed)
    assert 0 < timed.seconds <= seconds


def keep_deadline(variant: Variant, steps: list[Step], seconds: float) -> None:
    def attempt(call: Timed) -> None:
        with FaultyServer(steps) as server:
            error = failure(variant, call, base_url=server.url, timeout=seconds)
        assert type(error) is DeadlineError
        assert (error.delivery, error.attempts, server.connections) == (Delivery.UNKNOWN, 1, 1)

    in_time(attempt, create, seconds)


def test_the_deadline_applies(variant: Variant) -> None:
    with ThreadPoolExecutor(len(SLOW)) as threads:
        rows = {
            name: threads.submit(keep_deadline, variant, steps, seconds)
            for name, (steps, seconds) in SLOW.items()
        }
    assert {name: row.exception() for name, row in rows.items()} == dict.fromkeys(SLOW)


def test_the_deadline_applies_to_an_endless_response(variant: Variant) -> None:
    # Alone, because the server takes up all the CPU time of this process.
    keep_deadline(variant, [receive, CHUNKED, endless(b"1\r\n \r\n" * 1000)], 0.2)


ENDLESS: dict[str, list[Step]] = {
    "lines of a head": [HEAD, endless(b"X: x\r\n" * 1000)],
    "a line of a head": [HEAD, b"X: ", endless(b"x" * 10_000)],
    "folded lines": [HEAD, b"X: x\r\n", endless(b" x\r\n" * 1000)],
    "a status line": [b"HTTP/1.1 201 ", endless(b"x" * 10_000)],
    "interim responses": [endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)],
    "hints": [endless(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 100)],
    "a line of a chunk": [CHUNKED, b"1;", endless(b"x" * 10_000)],
    "long lines of chunks": [CHUNKED, endless(b"1;%b\r\n \r\n" % (b"x" * 10_000))],
    "zeros before the size of a chunk": [CHUNKED, endless(b"0" * 10_000)],
    "trailers": [CHUNKED, b"1\r\n \r\n0\r\n", endless(b"X: x\r\n" * 1000)],
}


@pytest.mark.parametrize("name", ENDLESS)
def test_data_around_a_body_is_limited(variant: Variant, name: str) -> None:
    """This also works without a timeout, where nothing else ends the response."""
    with FaultyServer([receive, *ENDLESS[name]]) as server:
        error = failure(variant, create, base_url=server.url, timeout=None)
    assert type(error) is DisconnectError
    assert ("is longer than" in str(error)) or ("too much data" in str(error))
    assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)


def test_the_deadline_covers_all_attempts_and_delays(variant: Variant) -> None:
    def attempt(call: Timed) -> None:
        with FaultyServer([receive, reset]) as server:
            error = failure(
                variant,
                call,
                base_url=server.url,
                timeout=0.3,
                retry=Retry(attempts=100, wait_initial=0.1, wait_max=0.1),
            )
        assert isinstance(error, DisconnectError | DeadlineError)
        # The deadline may expire between the start of the last attempt and its first byte.
        unsent = error.attempts - len(server.seen)
        assert unsent == 0 or (unsent == 1 and isinstance(error, DeadlineError))
        assert 3 <= len(server.seen) <= 6

    in_time(attempt, retrieve, 0.3)


def test_a_silent_service_times_out_and_may_be_tried_again(variant: Variant) -> None:
    def attempt(call: Timed) -> None:
        with FaultyServer([receive, silence]) as server:
            error = failure(
                variant, call, world=World(), base_url=server.url, timeout=Timeout(idle=0.1)
            )
        assert type(error) is IdleTimeoutError
        assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 3)

    in_time(attempt, retrieve, 0.3)


# TLS.


@pytest.mark.parametrize(
    ("host", "dates", "words"),
    [
        ("other.example", {}, "127.0.0.1"),
        ("127.0.0.1", {"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, "expired"),
    ],
)
def test_a_certificate_for_another_host(
    variant: Variant, authority: trustme.CA, host: str, dates: dict[str, Any], words: str
) -> None:
    context = client_context(authority)
    with FaultyServer([receive, answer()], tls=server_context(authority, host, **dates)) as server:
        error = failure(variant, create, base_url=server.url, ssl_context=context)
    assert type(error) is TLSError
    assert words in str(error)
    assert (error.delivery, error.attempts, server.seen) == (Delivery.UNSENT, 1, [])


@pytest.mark.parametrize(
    ("steps", "expected", "attempts"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], TLSError, 1),
        ([await_request, reset], ConnectError, 3),
        ([await_request], ConnectError, 3),
    ],
)
def test_a_service_without_tls(
    variant: Variant, steps: list[Step], expected: type[ConversationsError], attempts: int
) -> None:
    with FaultyServer(steps) as server:
        url = server.url.replace("http:", "https:")
        error = failure(variant, create, world=World(), base_url=url)
    assert type(error) is expected
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, attempts)
    assert ("use http:// if" in str(error)) is (expected is TLSError)


def test_a_truncated_encrypted_response(variant: Variant, authority: trustme.CA) -> None:
    context = client_context(authority)
    with FaultyServer([receive, HALF], tls=server_context(authority, "127.0.0.1")) as server:
        error = failure(variant, create, base_url=server.url, ssl_context=context)
    assert type(error) is DisconnectError
    assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)


def test_the_deadline_applies_with_tls(variant: Variant, authority: trustme.CA) -> None:
    tls, context = server_context(authority, "127.0.0.1"), client_context(authority)

    def attempt(call: Timed) -> None:
        with FaultyServer([receive, HEAD, silence], tls=tls) as server:
            error = failure(variant, call, base_url=server.url, ssl_context=context, timeout=0.3)
        assert type(error) is DeadlineError

    in_time(attempt, create, 0.3)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_unreadable_certificates_from_the_environment(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    error = failure(variant, create, base_url="https://127.0.0.1:1")
    assert type(error) is ConfigurationError
    assert "SSL_CERT_FILE" in str(error)


# Proxies.

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
PROXIES: dict[str, tuple[list[Step], type[ConversationsError], int]] = {
    "forbids": ([receive, answer(403, b"")], ProxyError, 3),
    "asks for a password": ([receive, answer(407, b"")], ProxyError, 3),
    "finds nobody": ([receive, answer(502, b"")], ProxyError, 3),
    "hangs up": ([receive], ProxyError, 3),
    "resets": ([receive, reset], ProxyError, 3),
    "hangs up in its answer": ([receive, OPEN[:12]], ProxyError, 3),
    "has an endless head": ([receive, OPEN[:-2], endless(b"X: x\r\n" * 1000)], ProxyError, 3),
    "sends hints without end": ([receive, endless(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 99)], ProxyError, 3),
    "has a body": ([receive, answer(200, b"hello")], ProxyError, 3),
    "switches protocols": ([receive, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"], ProxyError, 3),
    "is none": ([receive, b"SSH-2.0-OpenSSH_9.9\r\n\r\n"], ProxyError, 3),
    "opens, and hangs up": ([receive, OPEN, await_request], ProxyError, 3),
    "opens, and resets": ([receive, OPEN, await_request, reset], ProxyError, 3),
    "opens to who doesn't encrypt": ([receive, OPEN, await_request, b"HTTP/1.1 400 Bad Request\r\n\r\n", silence], TLSError, 1),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "expected", "attempts"), PROXIES.values(), ids=PROXIES)
def test_a_proxy(
    variant: Variant,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[Step],
    expected: type[ConversationsError],
    attempts: int,
) -> None:
    with FaultyServer(steps) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        error = failure(variant, create, world=World(), base_url="https://api.invalid")
    assert type(error) is expected
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, attempts)
    assert KEY not in "".join(map(str, proxy.seen))


def test_a_silent_proxy(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer([receive, silence]) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        url, timeout = "https://api.invalid", Timeout(connect=0.1)
        error = failure(variant, create, world=World(), base_url=url, timeout=timeout)
    assert type(error) is ConnectTimeoutError
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, 3)


def encrypted(tls: ssl.SSLContext) -> Step:
    """Act as the server at the end of a tunnel: read a complete request and disconnect."""

    def step(visit: Visit) -> None:
        with (
            tls.wrap_socket(visit.connection, server_side=True) as inner,
            inner.makefile("rb") as stream,
        ):
            visit.server.read_request(stream)

    return step


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_disconnect_behind_a_proxy_may_have_acted(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, scheme: str
) -> None:
    tunnel = (
        [OPEN, encrypted(server_context(authority, "api.invalid"))] if scheme == "https" else []
    )
    with FaultyServer([receive, *tunnel]) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url)
        error = failure(
            variant,
            create,
            base_url=f"{scheme}://api.invalid",
            allow_plain_http=True,
            ssl_context=client_context(authority),
        )
    assert type(error) is DisconnectError
    assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)
    assert [seen.method for seen in proxy.seen] == ["CONNECT", "POST"][-len(proxy.seen) :]
    assert proxy.seen[-1].headers["authorization"] == f"Bearer {KEY}"


def test_a_missing_proxy(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([]) as gone:
        pass
    monkeypatch.setenv("https_proxy", gone.url)
    error = failure(variant, create, world=World(), base_url="https://api.invalid")
    assert isinstance(error, ConnectError)
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, 3)


@pytest.mark.parametrize(
    ("url", "delivery"),
    [("http://api.invalid", Delivery.UNKNOWN), ("https://api.invalid", Delivery.UNSENT)],
)
def test_the_deadline_applies_through_a_proxy(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, url: str, delivery: Delivery
) -> None:
    def attempt(call: Timed) -> None:
        with FaultyServer([receive, trickled(answer())]) as proxy:
            monkeypatch.setenv("all_proxy", proxy.url)
            error = failure(variant, call, base_url=url, allow_plain_http=True, timeout=0.3)
        assert type(error) is DeadlineError
        assert error.delivery is delivery

    in_time(attempt, create, 0.3)


# Names and addresses.


def test_an_invalid_host_name(variant: Variant) -> None:
    error = failure(variant, create, world=World(), base_url=f"https://{'x' * 64}.invalid")
    assert type(error) is ConnectError
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, 3)


def test_an_unknown_host(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = failure(variant, create, world=World(), base_url="https://api.invalid")
    assert type(error) is ConnectError
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, 3)


def test_a_service_that_listens_on_one_of_its_addresses_is_reached(variant: Variant) -> None:
    with ScriptedServer([answer()]) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        assert variant.run(create, api_key=KEY, base_url=url).id


# Closed during a call.


def test_closing_the_client_between_two_attempts(variant: Variant) -> None:
    class Closing(World):
        """Closes the client during the delay."""

        client: Any = None

        def _sleep(self, seconds: float, wakeup: object) -> None:
            self.client._connections.closing.set()

    def call(client: Any) -> Any:
        world.client = client
        return create(client)

    world = Closing()
    for reply, delivery in ((answer(500), Delivery.UNKNOWN), (answer(429), Delivery.REFUSED)):
        with ScriptedServer([reply]) as server:
            retry = Retry(trust_idempotency_key=True)
            error = failure(variant, call, world=world, base_url=server.url, retry=retry)
        assert type(error) is ClientClosedError
        assert (error.delivery, error.attempts) == (delivery, 1)
        assert "POST /v2/conversations" in str(error)
