"""Custom code in injected HTTP clients: hooks, transports and subclasses."""

import errno
import gzip
import http.client
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import h11
import httpcore
import httpx
import injected
import pytest
import trio
from httpx_aiohttp import AiohttpTransport
from injected import STACKS, run
from interrupt_points import LIMIT_SECONDS, time_limit
from scripted import CONVERSATION, HALF, HANG_UP, ClosingServer, ScriptedServer, answer, refused_url
from streaming import HALF as HALF_STREAM
from streaming import WHOLE, streamed
from variants import KEY, Variant

from conversations_client import (
    AsyncClient,
    ClientClosedError,
    ConnectError,
    ConversationsError,
    DecodeError,
    Delivery,
    DisconnectError,
    NotFoundError,
    ProxyError,
    Retry,
    StatusError,
    StreamTruncatedError,
    Timeout,
    TransportError,
)

PAGE = {"object": "list", "data": [CONVERSATION], "has_more": False}
QUICK = Retry(wait_initial=0, wait_max=0)
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which is fast to create
made = partial(injected.made, verify=TLS)


@pytest.fixture(params=STACKS, ids=lambda stack: stack.__name__)
def stack(request: pytest.FixtureRequest) -> Any:
    return request.param


async def create(client: Any) -> Any:
    return (await client.conversations.create()).id


async def listed(client: Any) -> Any:
    return [conversation.id async for conversation in client.conversations.list()]


async def respond(client: Any) -> Any:
    return (await client.conversations.responses.create("c", message="x", model="a/b")).text


def hooked(
    stack: Any, variant: Variant, event: str, hook: Callable[[Any], Any], **more: Any
) -> Any:
    """Creates clients with a hook, which is awaited for an AsyncClient."""

    async def awaited(value: Any) -> None:
        result = hook(value)
        if hasattr(result, "__await__"):
            await result

    function = hook if variant.name == "sync" else awaited
    return made(stack, event_hooks={event: [function]}, **more)


def failure(
    variant: Variant,
    make: Any,
    call: Any,
    script: Any,
    *,
    serve: type[ScriptedServer] = ScriptedServer,
    **options: Any,
) -> Any:
    """The error of a call, and the number of received requests."""
    with serve(script) as server, pytest.raises(Exception) as raised:  # noqa: PT011
        run(variant, make, call, base_url=server.url, **{"retry": QUICK, **options})
    return raised.value, len(server.seen)


# An invalid redirect, which is not followed anyway.

LOCATIONS = [
    "conversation:1",
    "http://[",
    "https://exa\x7fmple",
    "//",
    "http://:99999999/",
    "/elsewhere",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_redirect_is_a_status_error(variant: Variant, stack: Any, location: str) -> None:
    for status in (301, 302, 303, 307, 308):
        script = [answer(status, CONVERSATION, Location=location, X_Request_Id="req_1")] * 3
        error, seen = failure(variant, made(stack), create, script)
        assert type(error) is StatusError
        assert (error.status, error.delivery, error.attempts, seen) == (
            status, Delivery.UNKNOWN, 1, 1,
        )  # fmt: skip
        assert (error.request_id, error.headers["location"]) == ("req_1", location)
        assert error.__cause__ is None


def test_a_redirect_from_a_mock_and_from_aiohttp(variant: Variant, stack: Any) -> None:
    def see_other(_: Any) -> Any:
        return stack.Response(303, headers={"Location": "conversation:1"}, text="created")

    error, _ = failure(variant, made(stack, transport=stack.MockTransport(see_other)), create, [])
    assert (error.status, error.delivery) == (303, Delivery.UNKNOWN)
    if (variant.name, stack) == ("asyncio", httpx):
        make = made(stack, transport=AiohttpTransport(verify=False))
        error, seen = failure(variant, make, create, [answer(303, b"", Location="conversation:1")])
        assert (error.status, error.delivery, seen) == (303, Delivery.UNKNOWN, 1)


# Exceptions of the caller's code are raised unchanged.


def undecodable() -> Exception:
    try:
        b"\xff".decode()
    except UnicodeDecodeError as error:
        return error
    raise AssertionError


def exceptions(stack: Any) -> list[Exception]:
    request = stack.Request("GET", "https://a.example")
    return [
        ValueError("mine"),
        undecodable(),
        OSError(errno.ENOSPC, "No space left on device"),
        FileNotFoundError("log"),
        ConnectionResetError("mine"),
        TimeoutError("mine"),
        ssl.SSLError("mine"),
        socket.gaierror("mine"),
        stack.ConnectError("mine"),
        stack.ReadTimeout("mine"),
        stack.PoolTimeout("mine"),
        stack.InvalidURL("mine"),
        stack.StreamConsumed(),
        stack.HTTPStatusError("mine", request=request, response=stack.Response(500)),
        httpcore.ConnectError("mine"),
        ConnectError("mine"),
        ClientClosedError("mine"),
        DecodeError(()),
        StopIteration() if stack is httpx else RuntimeError("mine"),
    ]


@pytest.mark.parametrize("event", ["request", "response"])
@pytest.mark.parametrize("call", [create, listed, respond])
def test_an_exception_in_a_hook_is_raised(
    variant: Variant, stack: Any, event: str, call: Any
) -> None:
    for error in exceptions(stack):
        if isinstance(error, StopIteration):
            continue  # which a coroutine can't raise

        def hook(_: Any, error: Exception = error) -> None:
            raise error

        reply = streamed(WHOLE) if call is respond else answer(200, PAGE | CONVERSATION)
        raised, seen = failure(variant, hooked(stack, variant, event, hook), call, [reply] * 3)
        assert raised is error
        assert seen == (1 if event == "response" else 0)


def test_raise_for_status_in_a_hook(variant: Variant, stack: Any) -> None:
    def hook(response: Any) -> None:
        response.raise_for_status()

    make = hooked(stack, variant, "response", hook)
    for call in (create, listed, respond):
        error, seen = failure(variant, make, call, [answer(500, {})] * 3)
        assert type(error) is stack.HTTPStatusError
        assert seen == 1


def test_a_hook_whose_own_request_fails(variant: Variant, stack: Any) -> None:
    with refused_url() as url:

        def hook(_: Any) -> None:
            stack.get(url)

        for event in ("request", "response"):
            make = hooked(stack, variant, event, hook)
            for call in (create, listed):
                error, seen = failure(variant, make, call, [answer(200, PAGE)] * 3)
                assert type(error) is stack.ConnectError
                assert seen == (event == "response")


def test_a_logging_filter_that_raises(variant: Variant, stack: Any) -> None:
    error = ConnectionError("the log is gone")

    def refuse(_: Any) -> bool:
        raise error

    logger = logging.getLogger(stack.__name__)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addFilter(refuse)
    try:
        raised, seen = failure(variant, made(stack), create, [answer()] * 3)
    finally:
        logger.removeFilter(refuse)
        logger.setLevel(level)
    assert raised is error
    assert seen == 1


def subclassed(stack: Any, send: Callable[[Any, Any, Any], Any]) -> Callable[[str], Any]:
    """Creates clients with a custom `send(client, original, request)`."""

    def make(name: str) -> Any:
        base = getattr(stack, name)

        class Own(base):  # type: ignore[misc, valid-type]
            def send(self, request: Any, **options: Any) -> Any:
                def original() -> Any:
                    return base.send(self, request, **options)

                return send(self, original, request)

        return Own(verify=TLS)

    return make


def finished(variant: Variant, result: Any, then: Callable[[Any], Any]) -> Any:
    """Apply `then` to a result, which is awaited first if necessary."""
    if variant.name == "sync":
        return then(result)

    async def wait() -> Any:
        return then(await result)

    return wait()


def test_an_exception_in_an_overridden_send_is_raised(variant: Variant, stack: Any) -> None:
    for error in exceptions(stack)[:-1]:

        def refuse(_: Any, error: Exception = error) -> Any:
            raise error

        def send(_: Any, original: Any, __: Any, refuse: Any = refuse) -> Any:
            return finished(variant, original(), refuse)

        raised, seen = failure(variant, subclassed(stack, send), create, [answer()] * 3)
        assert raised is error
        assert seen == 1


def test_an_error_derived_from_the_librarys_errors(variant: Variant, stack: Any) -> None:
    """It is raised unchanged, even if the request is unsent."""

    class OwnError(Exception):
        pass

    def send(_: Any, original: Any, __: Any) -> Any:
        async def translated() -> Any:
            try:
                return await original()
            except stack.TransportError as error:
                raise OwnError from error

        if variant.name != "sync":
            return translated()
        try:
            return original()
        except stack.TransportError as error:
            raise OwnError from error

    make = subclassed(stack, send)
    error, seen = failure(variant, make, listed, [HANG_UP] * 3)
    assert (type(error), seen) == (OwnError, 1)
    with refused_url() as url, pytest.raises(OwnError):
        run(variant, make, create, base_url=url)


def test_a_request_whose_body_the_callers_client_replaces(variant: Variant, stack: Any) -> None:
    def make(name: str) -> Any:
        base = getattr(stack, name)

        class Own(base):  # type: ignore[misc, valid-type]
            def build_request(self, *args: Any, **options: Any) -> Any:
                request = base.build_request(self, *args, **options)
                request.stream = Own.Body()
                return request

            class Body(stack.SyncByteStream, stack.AsyncByteStream):  # type: ignore[misc]
                def __iter__(self) -> Iterator[bytes]:
                    yield b"{}"

                async def __aiter__(self) -> AsyncIterator[bytes]:
                    yield b"{}"

        return Own(verify=TLS)

    with ScriptedServer([answer()]) as server:
        assert run(variant, make, create, base_url=server.url) == CONVERSATION["_id"]
    assert server.seen[0].body == b"{}"


def test_an_overridden_send_that_retries(variant: Variant, stack: Any) -> None:
    """The first request was delivered; the second has no connection."""

    def send(client: Any, original: Any, request: Any) -> Any:
        if variant.name == "sync":
            try:
                return original()
            except stack.TransportError:
                server.stop()
                return original()

        async def again() -> Any:
            try:
                return await original()
            except stack.TransportError:
                server.stop()
                return await original()

        return again()

    with Stopping([HANG_UP]) as server, pytest.raises(ConnectError) as raised:
        run(variant, subclassed(stack, send), create, base_url=server.url, retry=QUICK)
    assert (raised.value.delivery, raised.value.attempts, len(server.seen)) == (
        Delivery.UNKNOWN, 1, 1,
    )  # fmt: skip


class Stopping(ScriptedServer):
    """A server that can stop before its block ends."""

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def __exit__(self, *_: object) -> None:
        for connection in self._open:
            connection.close()


# Custom transports.


def wrapping(stack: Any, handle: Callable[[Any, Any], Any]) -> Callable[[str], Any]:
    """Creates clients over a transport with a custom `handle(inner, request)`."""

    class Own(stack.BaseTransport, stack.AsyncBaseTransport):  # type: ignore[misc]
        def __init__(self) -> None:
            self.sync = stack.HTTPTransport(verify=TLS)
            self.asynchronous = stack.AsyncHTTPTransport(verify=TLS)

        def handle_request(self, request: Any) -> Any:
            return handle(self.sync.handle_request, request)

        async def handle_async_request(self, request: Any) -> Any:
            result = handle(self.asynchronous.handle_async_request, request)
            return await result if hasattr(result, "__await__") else result

        def close(self) -> None:
            self.sync.close()

        async def aclose(self) -> None:
            await self.asynchronous.aclose()

    return lambda name: getattr(stack, name)(transport=Own())


def test_a_wrapping_transport_works_like_the_librarys(variant: Variant, stack: Any) -> None:
    make = wrapping(stack, lambda inner, request: inner(request))
    with ScriptedServer([answer()]) as server:
        assert run(variant, make, create, base_url=server.url) == CONVERSATION["_id"]
    with pytest.raises(ConnectError) as raised:
        run(variant, make, create, base_url=server.url, retry=QUICK)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 3)


def test_a_transport_that_acts_but_raises_a_connect_error(variant: Variant, stack: Any) -> None:
    acted: list[Any] = []

    for cls in (
stack.ConnectError, stack.ConnectTimeout, stack.PoolTimeout, stack.ProxyError,
                stack.UnsupportedProtocol, stack.ReadError, stack.CloseError):  # fmt: skip
        acted.clear()

        def handle(request: Any, cls: Any = cls) -> Any:
            acted.append(request)
            raise cls("no connection", request=request)

        make = made(stack, transport=stack.MockTransport(handle))
        error, _ = failure(variant, make, create, [])
        assert isinstance(error, TransportError)
        assert (error.delivery, error.attempts, len(acted)) == (Delivery.UNKNOWN, 1, 1)


def test_a_transport_that_retries(variant: Variant, stack: Any) -> None:
    def handle(inner: Any, request: Any) -> Any:
        if variant.name == "sync":
            inner(request).close()
            server.stop()
            return inner(request)

        async def twice() -> Any:
            await (await inner(request)).aclose()
            server.stop()
            return await inner(request)

        return twice()

    with Stopping([answer()]) as server, pytest.raises(ConnectError) as raised:
        run(variant, wrapping(stack, handle), create, base_url=server.url, retry=QUICK)
    assert (raised.value.delivery, raised.value.attempts, len(server.seen)) == (
        Delivery.UNKNOWN, 1, 1,
    )  # fmt: skip


def again_after_errors(variant: Variant, stack: Any) -> Callable[[str], Any]:
    """Creates clients over a transport that sends a request again if the connection breaks."""

    def handle(inner: Any, request: Any) -> Any:
        async def twice() -> Any:
            try:
                return await inner(request)
            except stack.TransportError:
                return await inner(request)

        if variant.name != "sync":
            return twice()
        try:
            return inner(request)
        except stack.TransportError:
            return inner(request)

    return wrapping(stack, handle)


def following(stack: Any) -> Callable[[str], Any]:
    """Creates clients that always follow redirects."""

    def make(name: str) -> Any:
        base = getattr(stack, name)

        class Own(base):  # type: ignore[misc, valid-type]
            def send(self, request: Any, **options: Any) -> Any:
                return base.send(self, request, **{**options, "follow_redirects": True})

        return Own(verify=TLS)

    return make


def test_a_status_after_the_callers_code_sent_the_request_before(
    variant: Variant, stack: Any
) -> None:
    """The first request may have created a conversation, so the last status proves nothing."""
    for make, first in (
        (again_after_errors(variant, stack), HANG_UP),
        (following(stack), answer(303, b"", Location="/elsewhere")),
    ):
        for status in (404, 429, 503):
            script = [first, answer(status, {}, Retry_After="0"), answer()]
            error, seen = failure(variant, make, create, script)
            assert (error.status, error.delivery, error.attempts, seen) == (
                status, Delivery.UNKNOWN, 1, 2,
            )  # fmt: skip
            # A listing is safe to repeat.
            script = [first, answer(429, {}, Retry_After="0"), answer(200, PAGE)]
            with ScriptedServer(script) as server:
                result = run(variant, make, listed, base_url=server.url, retry=QUICK)
            assert result == [CONVERSATION["_id"]]
            failed = many(variant, make, script=[first, answer(status, {}, Retry_After="0")])
            assert (failed.error.status, failed.error.may_have_acted) == (status, True)
            assert failed.error.attempts == 1


def many(variant: Variant, make: Any, *, script: Any) -> Any:
    """The outcome of `create_many` with one request."""

    async def one(client: Any) -> Any:
        async with client.conversations.create_many([{}]) as outcomes:
            return [outcome async for outcome in outcomes]

    with ScriptedServer([*script, answer()]) as server:
        (outcome,) = run(variant, make, one, base_url=server.url, retry=QUICK)
    assert len(server.seen) == len(script)
    return outcome


def test_a_redirect_that_the_callers_client_cannot_follow(variant: Variant, stack: Any) -> None:
    with refused_url() as elsewhere:
        script = [answer(303, b"", Location=f"{elsewhere}/x")]
        error, seen = failure(variant, following(stack), create, script)
    assert type(error) is ConnectError
    assert (error.delivery, error.attempts, seen) == (Delivery.UNKNOWN, 1, 1)


def test_a_transport_that_hides_the_progress(variant: Variant, stack: Any) -> None:
    def handle(inner: Any, request: Any) -> Any:
        del request.extensions["trace"]
        return inner(request)

    with ScriptedServer([]) as server:
        gone = server.url
    with pytest.raises(ConnectError) as raised:
        run(variant, wrapping(stack, handle), create, base_url=gone, retry=QUICK)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNKNOWN, 1)


def test_a_network_error_of_a_transport_is_a_transport_error(variant: Variant, stack: Any) -> None:
    for error in (
        ConnectionResetError("reset"),
        TimeoutError("slow"),
        ssl.SSLError("bad"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        stack.DecodingError("bad"),
        stack.StreamClosed(),
        httpcore.ConnectError("refused"),
        httpcore.ReadTimeout("slow"),
        httpcore.RemoteProtocolError("bad"),
        h11.RemoteProtocolError("bad"),
        http.client.BadStatusLine("bad"),
        anyio.BrokenResourceError(),
        anyio.EndOfStream(),
        trio.ClosedResourceError(),
    ):

        def handle(_: Any, error: Exception = error) -> Any:
            raise error

        make = made(stack, transport=stack.MockTransport(handle))
        raised, _ = failure(variant, make, create, [])
        assert isinstance(raised, TransportError)
        assert (raised.delivery, raised.attempts) == (Delivery.UNKNOWN, 1)


def test_an_error_of_a_transport_that_is_its_own_cause(variant: Variant, stack: Any) -> None:
    def handle(_: Any) -> Any:
        error = stack.ConnectError("refused")
        raise error from error

    make = made(stack, transport=stack.MockTransport(handle))
    with time_limit(LIMIT_SECONDS):
        raised, _ = failure(variant, make, create, [])
    assert type(raised) is ConnectError


def test_other_exceptions_of_a_transport_are_raised(variant: Variant, stack: Any) -> None:
    for error in (
        ValueError("mine"),
        undecodable(),
        OSError(errno.ENOSPC, "No space left on device"),
        stack.HTTPStatusError("mine", request=None, response=None),
        KeyError("mine"),
        ClientClosedError("mine"),
    ):

        def handle(_: Any, error: Exception = error) -> Any:
            raise error

        raised, _ = failure(variant, made(stack, transport=stack.MockTransport(handle)), listed, [])
        assert raised is error


def test_an_error_of_this_package_that_a_transport_raises(variant: Variant, stack: Any) -> None:
    def handle(_: Any) -> Any:
        raise ProxyError("planned", delivery=Delivery.REFUSED)

    error, _ = failure(variant, made(stack, transport=stack.MockTransport(handle)), create, [])
    assert type(error) is ProxyError
    assert (error.delivery, error.attempts) == (Delivery.REFUSED, 1)


def test_a_request_to_a_host_that_cannot_be_encoded_is_unsent(variant: Variant, stack: Any) -> None:
    with pytest.raises(ConnectError) as raised:
        run(variant, made(stack), create, base_url=f"https://{'x' * 64}.invalid", retry=QUICK)
    assert raised.value.delivery is Delivery.UNSENT


def test_a_request_that_a_proxy_refuses_is_unsent(variant: Variant, stack: Any) -> None:
    def through(url: str) -> Any:
        return made(stack, proxy=url)

    refusal = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with ScriptedServer([refusal] * 3) as proxy, pytest.raises(ProxyError) as raised:
        run(variant, through(proxy.url), create, base_url="https://api.invalid", retry=QUICK)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 3)
    assert {seen.method for seen in proxy.seen} == {"CONNECT"}
    assert KEY not in str(proxy.seen)


def test_the_callers_trace_function_is_called(variant: Variant, stack: Any) -> None:
    heard: list[str] = []

    def note(event: str, _: Any) -> None:
        heard.append(event)

    async def note_later(event: str, _: Any) -> None:
        heard.append(event)

    def make(name: str) -> Any:
        base = getattr(stack, name)

        class Own(base):  # type: ignore[misc, valid-type]
            def build_request(self, *args: Any, **options: Any) -> Any:
                request = base.build_request(self, *args, **options)
                request.extensions["trace"] = note if variant.name == "sync" else note_later
                return request

        return Own()

    with ScriptedServer([answer()]) as server:
        run(variant, make, create, base_url=server.url)
    assert "http11.send_request_headers.started" in heard


def test_aiohttp_that_may_have_retried() -> None:
    """aiohttp repeats a DELETE on a closed connection and reports only the last outcome."""

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=AiohttpTransport(verify=False)) as own,
            AsyncClient(KEY, http_client=own, base_url=server.url, retry=QUICK) as client,
        ):
            with pytest.raises(ConnectError) as raised:
                await client.conversations.delete("conv_1")
            assert raised.value.delivery is Delivery.UNKNOWN
            with pytest.raises(ConnectError) as raised:
                await client.conversations.create()
            assert raised.value.delivery is Delivery.UNSENT

    with ScriptedServer([]) as server:
        pass
    anyio.run(main, backend="asyncio")


def test_an_application_without_a_network(variant: Variant, stack: Any) -> None:
    body = json.dumps(CONVERSATION).encode()

    def wsgi(_: Any, start_response: Any) -> Any:
        start_response("201 Created", [("Content-Type", "application/json")])
        return [body[:9], body[9:]]

    async def asgi(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": body[:9], "more_body": True})
        await send({"type": "http.response.body", "body": body[9:]})

    def make(name: str) -> Any:
        if name == "Client":
            return stack.Client(transport=stack.WSGITransport(app=wsgi))
        return stack.AsyncClient(transport=stack.ASGITransport(app=asgi))

    assert run(variant, make, create) == CONVERSATION["_id"]


def test_an_application_that_fails(variant: Variant, stack: Any) -> None:
    error = LookupError("a fault of the application")

    def wsgi(*_: Any) -> Any:
        raise error

    async def asgi(*_: Any) -> None:
        raise error

    def make(name: str) -> Any:
        if name == "Client":
            return stack.Client(transport=stack.WSGITransport(app=wsgi))
        return stack.AsyncClient(transport=stack.ASGITransport(app=asgi))

    raised, _ = failure(variant, make, create, [])
    assert raised is error


def test_a_client_that_is_closed_during_a_call(variant: Variant, stack: Any) -> None:
    def send(client: Any, original: Any, _: Any) -> Any:
        if variant.name == "sync":
            client.close()
            return original()

        async def closing() -> Any:
            await client.aclose()
            return await original()

        return closing()

    error, seen = failure(variant, subclassed(stack, send), create, [answer()])
    assert isinstance(error, ConversationsError)
    assert seen == 0


# Bodies that custom code has read.


def reading(variant: Variant, response: Any) -> Any:
    return response.read() if variant.name == "sync" else response.aread()


RESULTS = [
    (create, answer(201), CONVERSATION["_id"]),
    (listed, answer(200, PAGE), [CONVERSATION["_id"]]),
    (respond, streamed(WHOLE), "One two "),
]


@pytest.mark.parametrize(("call", "reply", "result"), RESULTS)
def test_a_hook_that_reads_the_body(
    variant: Variant, stack: Any, call: Any, reply: bytes, result: Any
) -> None:
    seen: list[bytes] = []

    def hook(response: Any) -> Any:
        if variant.name == "sync":
            seen.append(response.read())
            return None
        return keep(response)

    async def keep(response: Any) -> None:
        seen.append(await response.aread())

    make = hooked(stack, variant, "response", hook)
    with ScriptedServer([reply] * 2) as server:
        for _ in range(2):
            assert run(variant, make, call, base_url=server.url, timeout=5) == result
    assert len(seen) == 2


def test_a_hook_that_reads_a_compressed_body(variant: Variant, stack: Any) -> None:
    body = gzip.compress(json.dumps(CONVERSATION).encode())
    make = hooked(stack, variant, "response", lambda response: reading(variant, response))
    for each in (make, made(stack)):
        with ScriptedServer([answer(201, body, Content_Encoding="gzip")]) as server:
            assert run(variant, each, create, base_url=server.url) == CONVERSATION["_id"]
    error, _ = failure(variant, make, create, [answer(201)], max_response_bytes=9)
    assert "max_response_bytes=9" in str(error)


def test_a_hook_that_reads_only_error_bodies(variant: Variant, stack: Any) -> None:
    def hook(response: Any) -> Any:
        return reading(variant, response) if response.is_error else None

    make = hooked(stack, variant, "response", hook)
    with ScriptedServer([answer(429, {}, Retry_After="0"), answer()]) as server:
        assert run(variant, make, create, base_url=server.url) == CONVERSATION["_id"]
    for call in (create, respond):
        error, seen = failure(variant, make, call, [answer(404, {"message": "Gone."})])
        assert type(error) is NotFoundError
        assert (error.service_message, seen) == ("Gone.", 1)


def test_a_hook_whose_read_fails(variant: Variant, stack: Any) -> None:
    make = hooked(stack, variant, "response", lambda response: reading(variant, response))
    half = [HALF]
    for call, attempts in ((create, 1), (listed, 3)):
        for idle in (0.05, 0.5, 5):
            error, seen = failure(variant, make, call, [half] * 3, timeout=Timeout(idle=idle))
            assert isinstance(error, TransportError)
            if seen == attempts:  # otherwise a busy server doesn't even read the request
                break
        assert (error.delivery, error.attempts, seen) == (Delivery.UNKNOWN, attempts, attempts)


def cut(status: int) -> bytes:
    """A response whose body is incomplete."""
    return b"HTTP/1.1 %d X\r\nRetry-After: 0\r\nContent-Length: 9\r\n\r\nhalf" % status


def badly_encoded(status: int) -> bytes:
    return answer(status, b"not gzip", Content_Encoding="gzip", Retry_After="0")


def buffering(variant: Variant, stack: Any) -> Callable[[str], Any]:
    """Creates clients over a transport that reads the body."""

    def handle(inner: Any, request: Any) -> Any:
        async def read() -> Any:
            response = await inner(request)
            await response.aread()
            return response

        if variant.name != "sync":
            return read()
        response = inner(request)
        response.read()
        return response

    return wrapping(stack, handle)


# On trio, httpx itself doesn't end the generators of a body that it can't decode.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("reply", [cut, badly_encoded])
def test_a_status_is_kept_if_the_callers_code_cannot_read_the_body(
    variant: Variant, stack: Any, reply: Callable[[int], bytes]
) -> None:
    hook = hooked(stack, variant, "response", lambda response: reading(variant, response))
    for make in (hook, buffering(variant, stack)):
        with ClosingServer([reply(429), answer()]) as server:
            result = run(variant, make, create, base_url=server.url, retry=QUICK)
        assert result == CONVERSATION["_id"]
        for call in (create, respond):
            error, seen = failure(variant, make, call, [reply(404)], serve=ClosingServer)
            assert type(error) is NotFoundError
            assert (error.delivery, error.body, seen) == (Delivery.REFUSED, b"", 1)
        error, seen = failure(variant, make, create, [reply(201)], serve=ClosingServer)
        assert isinstance(error, TransportError)
        assert (error.delivery, seen) == (Delivery.UNKNOWN, 1)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_of_another_response_that_a_transport_cannot_read(
    variant: Variant, stack: Any
) -> None:
    """A transport first gets a token over a client of its own; its status is not the call's."""

    def handle(_: Any, request: Any) -> Any:
        async def get() -> None:
            async with stack.AsyncClient(verify=TLS) as own:
                await own.get(request.url)

        if variant.name != "sync":
            return get()
        with stack.Client(verify=TLS) as own:
            return own.get(request.url)

    error, seen = failure(variant, wrapping(stack, handle), create, [badly_encoded(404)])
    assert type(error) is DisconnectError
    assert (error.delivery, seen) == (Delivery.UNKNOWN, 1)


def test_a_hook_that_reads_a_consumed_body(variant: Variant, stack: Any) -> None:
    async def consume(response: Any) -> None:
        for _ in range(2):
            async for _ in response.aiter_raw():
                pass

    def hook(response: Any) -> Any:
        if variant.name != "sync":
            return consume(response)
        for _ in range(2):
            list(response.iter_raw())
        return None

    make = hooked(stack, variant, "response", hook)
    error, seen = failure(variant, make, listed, [answer(200, PAGE)] * 3)
    assert type(error) is stack.StreamConsumed
    assert seen == 1


def consuming(variant: Variant) -> Callable[[Any], Any]:
    async def consume(response: Any) -> None:
        async for _ in response.aiter_bytes():
            pass

    def hook(response: Any) -> Any:
        if variant.name != "sync":
            return consume(response)
        for _ in response.iter_bytes():
            pass
        return None

    return hook


def closing(variant: Variant) -> Callable[[Any], Any]:
    return lambda response: response.close() if variant.name == "sync" else response.aclose()


@pytest.mark.parametrize("lose", [consuming, closing])
def test_a_hook_that_loses_the_body(
    variant: Variant, stack: Any, lose: Callable[[Variant], Any]
) -> None:
    make = hooked(stack, variant, "response", lose(variant))
    expected: dict[Any, Any] = {
        create: DecodeError,
        listed: DecodeError,
        respond: DisconnectError,
    }
    for call, reply, _ in RESULTS:
        error, seen = failure(variant, make, call, [reply] * 3, timeout=5)
        assert type(error) is expected[call]
        assert "response.read()" in str(error)
        assert (error.delivery, seen) == (Delivery.UNKNOWN, 1)
    error, _ = failure(variant, make, create, [answer(404, {"message": "Gone."})], timeout=5)
    assert (type(error), error.body) == (NotFoundError, b"")


def replacing(variant: Variant, replacement: Callable[[bytes], Any]) -> Callable[[Any], Any]:
    """A hook that reads the raw body and replaces it."""

    async def replace(response: Any) -> None:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
        response.stream = replacement(raw)

    def hook(response: Any) -> Any:
        if variant.name != "sync":
            return replace(response)
        response.stream = replacement(b"".join(response.iter_raw()))
        return None

    return hook


def test_a_hook_that_replaces_the_stream(variant: Variant, stack: Any) -> None:
    class Own(stack.SyncByteStream, stack.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, body: bytes) -> None:
            self.body = body

        def __iter__(self) -> Iterator[bytes]:
            yield from (self.body[:5], b"", self.body[5:])

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in self:
                yield part

    replacements: list[Callable[[bytes], Any]] = [
        stack.ByteStream,
        Own,
        lambda body: [body],
        lambda body: iter([body[:9], body[9:]]),
        lambda body: (each for each in (body,)),
    ]
    for replacement in replacements:
        make = hooked(stack, variant, "response", replacing(variant, replacement))
        for call, reply, result in RESULTS:
            with ScriptedServer([reply]) as server:
                assert run(variant, make, call, base_url=server.url, timeout=5) == result


def test_a_client_that_buffers_bodies(variant: Variant, stack: Any) -> None:
    """Its `send` reads everything and returns a new response."""

    def send(_: Any, original: Any, __: Any) -> Any:
        def copy(response: Any, content: bytes) -> Any:
            kind = {"Content-Type": response.headers["content-type"]}
            return stack.Response(response.status_code, headers=kind, content=content)

        async def buffered() -> Any:
            response = await original()
            return copy(response, await response.aread())

        if variant.name != "sync":
            return buffered()
        response = original()
        return copy(response, response.read())

    for call, reply, result in RESULTS:
        with ScriptedServer([reply]) as server:
            assert run(variant, subclassed(stack, send), call, base_url=server.url) == result


def always_the_same(response: Any, _: Any) -> Any:
    return response


def test_a_response_from_a_cache(variant: Variant, stack: Any) -> None:
    """The same response for all requests, as from a mock or a cache."""
    for call, status, kind, body, result in (
        (create, 201, "application/json", json.dumps(CONVERSATION), CONVERSATION["_id"]),
        (respond, 200, "text/event-stream", WHOLE.decode(), "One two "),
    ):
        cached = stack.Response(status, headers={"Content-Type": kind}, text=body)
        make = made(stack, transport=stack.MockTransport(partial(always_the_same, cached)))
        for _ in range(3):
            assert run(variant, make, call) == result


def test_a_decompressed_body_with_a_content_encoding(variant: Variant, stack: Any) -> None:
    class Decoded(stack.SyncByteStream, stack.AsyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield json.dumps(CONVERSATION).encode()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in self:
                yield part

    def handle(_: Any) -> Any:
        return stack.Response(201, headers={"Content-Encoding": "gzip"}, stream=Decoded())

    make = made(stack, transport=stack.MockTransport(handle))
    assert run(variant, make, create) == CONVERSATION["_id"]


def test_a_body_whose_code_raises(variant: Variant, stack: Any) -> None:
    def broken(error: Exception) -> Any:
        class Broken(stack.SyncByteStream, stack.AsyncByteStream):  # type: ignore[misc]
            def __iter__(self) -> Iterator[bytes]:
                yield HALF_STREAM
                raise error

            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield HALF_STREAM
                raise error

        def handle(_: Any) -> Any:
            kind = {"Content-Type": "text/event-stream"}
            return stack.Response(200, headers=kind, stream=Broken())

        return made(stack, transport=stack.MockTransport(handle))

    for call in (create, respond):
        for error in (ValueError("mine"), OSError(errno.ENOSPC, "No space left on device")):
            assert failure(variant, broken(error), call, [])[0] is error
    for error in (ConnectionResetError("reset"), stack.ReadError("broken")):
        raised, _ = failure(variant, broken(error), respond, [])
        assert isinstance(raised, StreamTruncatedError)
        assert isinstance(raised.reason, DisconnectError)
        raised, _ = failure(variant, broken(error), create, [])
        assert isinstance(raised, DisconnectError)
