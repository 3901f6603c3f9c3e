"""Injected faults with clients of every variant."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from variants import Variant, everything

from conversations_client import (
    Client,
    ConversationsError,
    DecodeError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    NotFoundError,
    RateLimitError,
    Response,
    ResponseFailedError,
    Retry,
    ServerError,
    StatusError,
    StreamTruncatedError,
    Timeout,
)
from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._fault_injection import middleware
from conversations_client.sandbox._replies.pacing import Pacing
from conversations_client.sandbox._server import request_log, uvicorn_server


@pytest.fixture
def sandbox(caplog: pytest.LogCaptureFixture) -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running
    # The server may log a crash after the test.
    records = [*caplog.get_records("call"), *caplog.get_records("teardown")]
    assert [each for each in records if each.name == "conversations_client.sandbox"] == []


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.url, headers=headers) as client:
        yield client


def options(sandbox: Sandbox, **settings: Any) -> dict[str, Any]:
    once = {"retry": Retry(attempts=1)}
    return {"api_key": sandbox.api_key, "base_url": sandbox.url, **once, **settings}


def create(client: Any) -> Any:
    return client.conversations.create(display_name="a")


def read(client: Any) -> Any:
    return everything(client.conversations.list())


def names(sandbox: Sandbox) -> list[str]:
    with Client(sandbox.api_key, base_url=sandbox.url) as client:
        return [each.display_name for each in client.conversations.list()]


def ended(variant: Variant, sandbox: Sandbox, call: Any, **settings: Any) -> ConversationsError:
    with pytest.raises(ConversationsError) as raised:
        variant.run(call, **options(sandbox, **settings))
    return raised.value


def test_a_failure(variant: Variant, sandbox: Sandbox) -> None:
    sandbox.fail_next(429, retry_after=0.5, message="Slower")
    error = ended(variant, sandbox, create)
    assert isinstance(error, RateLimitError)
    assert (error.service_message, error.retry_after) == ("Slower", 0.5)
    sandbox.fail_next(429, retry_after=2_592_000)
    error = ended(variant, sandbox, create)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 2_592_000
    sandbox.fail_next()
    error = ended(variant, sandbox, create)
    assert isinstance(error, ServerError)
    assert (error.status, error.retry_after) == (503, None)
    assert error.request_id is not None
    assert names(sandbox) == []


@pytest.mark.parametrize(("status", "error_class"), [(404, NotFoundError), (405, StatusError)])
def test_a_listing_tries_two_paths(
    variant: Variant, sandbox: Sandbox, status: int, error_class: type[StatusError]
) -> None:
    sandbox.fail_next(status)
    assert variant.run(read, **options(sandbox)) == []
    sandbox.fail_next(status, times=2)
    assert isinstance(ended(variant, sandbox, read), error_class)


def test_a_retried_failure(variant: Variant, sandbox: Sandbox) -> None:
    sandbox.fail_next(503, retry_after=0, times=2)
    variant.run(create, **options(sandbox, retry=Retry(attempts=3)))
    assert sandbox.disruptions == ()
    assert names(sandbox) == ["a"]
    *creates, listing = sandbox.requests
    assert [(each.method, each.path) for each in creates] == [("POST", "/v2/conversations")] * 3
    assert [each.json() for each in creates] == [{"displayName": "a"}] * 3
    assert len({each.headers["idempotency-key"] for each in creates}) == 1
    assert (listing.method, listing.path, listing.query, listing.body) == (
        "GET", "/v2/conversations/", "", b"",
    )  # fmt: skip
    assert not any("authorization" in each.headers for each in sandbox.requests)


def test_a_response_of_another_type(variant: Variant, sandbox: Sandbox) -> None:
    sandbox.answer_next("<html>", content_type="text/html")
    error = ended(variant, sandbox, create)
    assert isinstance(error, DecodeError)
    assert "200 with text/html" in str(error)
    sandbox.answer_next({"kind": "conversation"}, status=201)
    assert isinstance(ended(variant, sandbox, create), DecodeError)
    assert names(sandbox) == []


def test_a_dropped_connection(variant: Variant, sandbox: Sandbox) -> None:
    sandbox.drop_next()
    error = ended(variant, sandbox, create)
    assert isinstance(error, DisconnectError)
    assert error.delivery is Delivery.UNKNOWN
    assert names(sandbox) == []
    sandbox.drop_next(after_acting=True)
    assert isinstance(ended(variant, sandbox, create), DisconnectError)
    assert names(sandbox) == ["a"]
    sandbox.drop_next(after_acting=True)
    assert isinstance(ended(variant, sandbox, read), DisconnectError)


def test_a_caller_cannot_hide_its_address_from_a_dropped_connection(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    sandbox.drop_next()
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/v2/conversations", headers={"X-Forwarded-For": "192.0.2.1"}, timeout=30)


def test_only_the_connection_of_the_request_is_dropped(sandbox: Sandbox, api: httpx.Client) -> None:
    other = http.client.HTTPConnection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    other.auto_open = 0
    other.connect()
    try:
        for drop in (True, False):
            other.request("GET", "/health")
            assert other.getresponse().read() == b'{"status":"ok"}'
            if drop:
                sandbox.drop_next()
                with pytest.raises(httpx.RemoteProtocolError):
                    api.get("/v2/conversations")
    finally:
        other.close()


def test_a_delayed_response(variant: Variant, sandbox: Sandbox) -> None:
    async def block(seconds: float) -> None:
        assert seconds == 60
        await asyncio.Event().wait()

    sandbox._pacing.sleep = block
    sandbox.delay_next(60)
    late = ended(variant, sandbox, create, timeout=Timeout(idle=0.5))
    assert isinstance(late, IdleTimeoutError)
    assert names(sandbox) == ["a"]


def say(conversation_id: str) -> Any:
    """A scenario with one response."""

    def scenario(client: Any) -> Any:
        return client.conversations.responses.create(
            conversation_id, message="One two three", model="sandbox/echo"
        )

    return scenario


@pytest.mark.parametrize(("after_events", "text"), [(1, ""), (3, "One two ")])
def test_a_stalled_stream(variant: Variant, sandbox: Sandbox, after_events: int, text: str) -> None:
    async def block(seconds: float) -> None:
        if seconds == 60:
            await asyncio.Event().wait()

    sandbox._pacing.sleep = block
    with Client(**options(sandbox)) as client:
        one = str(client.conversations.create().id)
    sandbox.delay_next(60, after_events=after_events)
    stalled = ended(variant, sandbox, say(one), timeout=Timeout(idle=0.2))
    assert isinstance(stalled, StreamTruncatedError)
    assert isinstance(stalled.reason, IdleTimeoutError)
    assert stalled.partial.text == text


@pytest.mark.parametrize(
    ("after_events", "pauses"),
    [
        (0, [60, 0, 0, 0, 0, 0]),
        (1, [60, 0, 0, 0, 0, 0]),
        (5, [0, 0, 0, 0, 60, 0]),
        (7, [0, 0, 0, 0, 0]),
    ],
)
def test_a_stream_continues_after_a_delay(
    variant: Variant, sandbox: Sandbox, after_events: int, pauses: list[float]
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    sandbox._pacing.sleep = sleep
    with Client(**options(sandbox)) as client:
        one = str(client.conversations.create().id)
    sandbox.delay_next(60, after_events=after_events)
    assert variant.run(say(one), **options(sandbox)).text == "One two three"
    assert sandbox.disruptions == ()
    assert slept == pauses


def test_only_streams_are_delayed_after_events(sandbox: Sandbox) -> None:
    sandbox.delay_next(60, after_events=1, times=2)
    sandbox.delay_next(60, after_events=1, path="/v2/conversations")
    with Client(**options(sandbox)) as client:
        one = client.conversations.create()
        client.conversations.retrieve(one)
        assert len(list(sandbox.disruptions)) == 3
        with pytest.raises(NotFoundError):  # its response has no events
            say("conv_1")(client)
        assert len(list(sandbox.disruptions)) == 2
        sandbox.clear_disruptions()


def test_stopping_the_sandbox_ends_a_stall(sandbox: Sandbox) -> None:
    sandbox.delay_next(60, after_events=2)
    with Client(**options(sandbox)) as client:
        conversation = client.conversations.create()
        stream = client.conversations.responses.stream(
            conversation, message="One two three", model="sandbox/echo"
        )
        with stream as events:
            assert [next(events).type for _ in range(2)] == ["response.started", "part.delta"]
            sandbox.stop()
            with pytest.raises(ResponseFailedError) as failed:
                events.collect()
    assert (failed.value.code, failed.value.partial.text) == (503, "One ")


def test_stopping_the_sandbox_ends_a_delay(sandbox: Sandbox) -> None:
    is_blocked = threading.Event()

    async def block(_seconds: float) -> None:
        is_blocked.set()
        await asyncio.Event().wait()

    sandbox._pacing.sleep = block
    sandbox.delay_next(60)
    names_created: list[object] = []

    def call() -> None:
        with Client(sandbox.api_key, base_url=sandbox.url) as client:
            names_created.append(create(client).display_name)

    caller = threading.Thread(target=call)
    caller.start()
    assert is_blocked.wait(30)
    sandbox.stop()
    caller.join()
    assert names_created == ["a"]


def test_a_delay_that_begins_while_the_sandbox_stops_is_skipped() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def main() -> None:
        pacing = Pacing(sleep=sleep)
        assert await pacing.pause(60)
        pacing.stop()
        assert not await pacing.pause(60)

    asyncio.run(main())
    assert slept == [60, 0]


@pytest.mark.parametrize(
    ("arguments", "stored", "words"),
    [
        ({"after_events": 0}, [], "broke: the connection broke"),
        ({}, [], "broke: the connection broke"),
        ({"after_events": 3}, ["One two "], "broke: the connection broke"),
        ({"after_events": 2, "garbage": "data: {\n\n"}, ["One "], "$: not JSON"),
        ({"after_events": 2, "garbage": b"data: [DONE]\n\n"}, ["One "], "ended with [DONE]"),
    ],
)
def test_a_broken_stream(
    variant: Variant, sandbox: Sandbox, arguments: dict[str, Any], stored: list[str], words: str
) -> None:
    with Client(**options(sandbox)) as client:
        one = client.conversations.create().id
        assert one is not None
        sandbox.break_stream(**arguments)

        def scenario(client: Any) -> Any:
            return client.conversations.responses.create(
                one, message="One two three", model="sandbox/echo"
            )

        error = ended(variant, sandbox, scenario)
        assert isinstance(error, StreamTruncatedError)
        assert words in str(error)
        assert error.partial.text == "".join(stored)
        whole = variant.run(scenario, **options(sandbox))
        assert isinstance(whole, Response)
        messages = client.conversations.retrieve(one).messages
    assert messages is not None
    texts = [[getattr(part, "text", "") for part in each.parts] for each in messages]
    assert texts == [["One two three"], stored, ["One two three"], ["One two three"]]


def test_only_an_open_stream_can_be_broken(sandbox: Sandbox) -> None:
    with Client(**options(sandbox)) as client:
        one = client.conversations.create().id
        assert one is not None
        for _ in range(2):
            sandbox.break_stream(after_events=6)
            again = client.conversations.responses.create(
                one, message="One two three", model="sandbox/echo", idempotency_key="again"
            )
            assert again.text == "One two three"
        sandbox.break_stream(after_events=1)
        with pytest.raises(NotFoundError):
            client.conversations.responses.create("conv_1", message="a", model="sandbox/echo")
    assert sandbox.disruptions == ()


def test_a_fault_waits_for_a_matching_request(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.fail_next(500, method="DELETE")
    sandbox.fail_next(501, path="/v2/conversations/*/generate-name")
    sandbox.fail_next(502, method="POST", path="/v2/conversations", times=2)
    sandbox.fail_next(504)
    assert [getattr(each, "status", None) for each in sandbox.disruptions] == [
        500,
        501,
        502,
        502,
        504,
    ]
    assert api.get("/health").status_code == 200
    assert api.get("/openapi.json").status_code == 200
    one = "/v2/conversations/conv_1"
    asked = [
        ("POST", "/v2/conversations"), ("GET", one), ("GET", one), ("DELETE", one), ("DELETE", one),
        ("POST", f"{one}/generate-name"), ("POST", "/v2/conversations"),
    ]  # fmt: skip
    got = [api.request(method, path, json={"context": "a"}).status_code for method, path in asked]
    assert got == [502, 504, 404, 500, 404, 501, 502]
    assert [(each.method, each.path) for each in sandbox.requests] == asked


def test_the_request_log_can_be_cleared(sandbox: Sandbox, api: httpx.Client) -> None:
    api.get("/v2/conversations")
    sandbox.clear_requests()
    assert list(sandbox.requests) == []
    api.get("/v2/conversations?limit=1")
    (request,) = sandbox.requests
    assert request.query == "limit=1"


def test_faults_can_be_removed(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.fail_next(times=3)
    sandbox.clear_disruptions()
    assert api.get("/v2/conversations").status_code == 200


def test_a_request_with_a_fault_needs_no_key_and_has_a_limited_body(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "LIMIT", 2**20)
    sandbox.fail_next(500)
    large = httpx.post(f"{sandbox.url}/v2/conversations", content=b"x" * 3_000_000)
    assert large.status_code == 500
    (received,) = sandbox.requests
    assert 1024 * 1024 < len(received.body) < 2_000_000
    with pytest.raises(ValueError, match="Expecting"):
        received.json()


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        ("fail_next", {"status": 200}, "use answer_next"),
        ("fail_next", {"status": 600}, "from 400 to 599"),
        ("answer_next", {"body": "", "status": 101}, "from 200 to 599"),
        ("delay_next", {"seconds": -1}, "0 or more"),
        ("delay_next", {"seconds": float("inf")}, "0 or more"),
        ("delay_next", {"seconds": 1, "after_events": -1}, "after_events must be 0 or more"),
        ("delay_next", {"seconds": 1, "after_events": None}, "after_events must be a whole number"),
        ("break_stream", {"after_events": -1}, "0 or more"),
        ("drop_next", {"times": 0}, "from 1 to 1000000"),
    ],
)
def test_invalid_faults_are_rejected(
    sandbox: Sandbox, call: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(sandbox, call)(**arguments)
    assert sandbox.disruptions == ()


def test_only_the_latest_requests_are_logged(
    sandbox: Sandbox, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "MAX_REQUESTS", 3)
    monkeypatch.setattr(request_log, "MAX_BYTES", 100)

    def logged_after(path: str, size: int) -> list[str]:
        api.post(path, content=b"x" * size)
        return [each.path for each in sandbox.requests]

    assert logged_after("/v2/1", 0) == ["/v2/1"]
    assert logged_after("/v2/2", 0) == ["/v2/1", "/v2/2"]
    assert logged_after("/v2/3", 0) == ["/v2/1", "/v2/2", "/v2/3"]
    assert logged_after("/v2/4", 0) == ["/v2/2", "/v2/3", "/v2/4"]
    sandbox.fail_next(times=2)
    assert logged_after("/v2/5", 100) == ["/v2/3", "/v2/4", "/v2/5"]
    assert logged_after("/v2/6", 1) == ["/v2/6"]


def test_concurrent_requests_are_counted_correctly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_log, "MAX_BYTES", 100)
    log = request_log.RequestLog()
    other = threading.Thread(target=lambda: log.add(received("/2", b"x" * 30)))

    class Meanwhile(bytes):
        def __len__(self) -> int:
            if not other.ident:
                other.start()
                other.join(0.05)
            return 60

    log.add(received("/1", Meanwhile()))
    other.join()
    log.add(received("/3", b"x" * 20))
    assert [each.path for each in log.all()] == ["/2", "/3"]


def received(path: str, body: bytes) -> request_log.ReceivedRequest:
    return request_log.ReceivedRequest(method="GET", path=path, query="", headers={}, body=body)


def test_an_unfinished_request_does_not_block_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uvicorn_server, "_GRACE_PERIOD", 0.01)
    sandbox = Sandbox().start()
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as unfinished:
        unfinished.sendall(
            b"POST /v2/conversations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
            b"Expect: 100-continue\r\nAuthorization: Bearer "
            + sandbox.api_key.encode()
            + b"\r\n\r\n"
        )
        assert unfinished.recv(100).startswith(b"HTTP/1.1 100")
        sandbox.stop()
        assert unfinished.recv(100) == b""
