"""Reads that continue after an earlier one was cancelled, interrupted or failed."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Self

import anyio
import httpx
import pytest
from certificates import client_context, server_context
from injected import STACKS, made, run
from interrupting import CANCELLERS
from scripted import CONVERSATION, ScriptedServer, always, answer
from streaming import END, HALF, WHOLE, chunk, head, played, streamed
from variants import KEY, Variant, World

from conversations_client import (
    AsyncClient,
    Client,
    CreateRequest,
    IdleTimeoutError,
    Retry,
    ServerError,
    StreamClosedError,
    StreamTruncatedError,
    Timeout,
)
from conversations_client._http.streams import sync_stream
from conversations_client._http.streams.interfaces import Limit
from conversations_client._http.streams.tls_stream import AsyncTLSStream

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
SECONDS = 10.0
SIZE = 40  # of the pieces, which end in the middle of lines, events and chunks

Pieces = queue.SimpleQueue[bytes]


def sent_by(pieces: Pieces) -> list[Any]:
    """A response whose pieces the test adds one by one; b"" ends it."""
    return [iter(partial(pieces.get, timeout=SECONDS), b"")]


def begin(client: Any) -> Any:
    return client.conversations.responses.stream("conv_1", message="Hi", model="a/b")


async def cancelled(
    read: Callable[[], Any], *, natively: bool, then: Callable[[], object] = lambda: None
) -> None:
    """Cancel a read while it waits, directly after `then`."""
    if natively:
        task = asyncio.ensure_future(read())
        await anyio.wait_all_tasks_blocked()
        then()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        then()
        tasks.cancel_scope.cancel()


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch httpx's client, as a tool that observes it does."""
    send = httpx.AsyncClient.send

    def observe(self: Any, *given: Any, **options: Any) -> Any:
        return send(self, *given, **options)

    monkeypatch.setattr(httpx.AsyncClient, "send", observe)


@pytest.mark.parametrize("path", ["plain", "encrypted", "hooked"])
@pytest.mark.parametrize("is_early", [False, True], ids=["after the read", "during the read"])
@CANCELLERS
def test_a_stream_continues_after_each_cancelled_read(
    backend: str, natively: bool, path: str, is_early: bool, request: pytest.FixtureRequest
) -> None:
    data = streamed(HALF, END)
    pieces: Pieces = queue.SimpleQueue()
    serving: dict[str, Any] = {}
    trusting: dict[str, Any] = {}
    if path == "hooked":
        request.getfixturevalue("hooked")
    if path == "encrypted":
        authority = request.getfixturevalue("authority")
        serving = {"tls": server_context(authority, "127.0.0.1")}
        trusting = {"ssl_context": client_context(authority)}

    async def main() -> None:
        found: list[str] = []
        async with AsyncClient(KEY, base_url=server.url, timeout=SECONDS, **trusting) as client:
            pieces.put(head())
            async with begin(client) as stream:

                async def read() -> None:
                    async for text in stream.text_deltas():
                        found.append(text)  # noqa: PERF401 - a comprehension would lose it

                body = data.removeprefix(head())
                for start in range(0, len(body), SIZE):
                    send = partial(pieces.put, body[start : start + SIZE])
                    if is_early:
                        await cancelled(read, natively=natively, then=send)
                    else:
                        await cancelled(read, natively=natively)
                        send()
                with contextlib.suppress(StreamClosedError):  # if it is complete already
                    await read()
                assert found == ["One ", "two "]
                assert (await stream.collect()).text == stream.partial.text == "One two "
            pieces.put(b"")

    with ScriptedServer(sent_by(pieces), **serving) as server:
        anyio.run(main, backend=backend)


def test_a_read_in_a_coroutine_that_is_closed() -> None:
    pieces: Pieces = queue.SimpleQueue()

    async def main() -> None:
        pieces.put(head())
        async with AsyncClient(KEY, base_url=server.url) as client, begin(client) as stream:
            read = stream.__anext__()
            read.send(None)
            read.close()
            pieces.put(streamed(WHOLE).removeprefix(head()))
            pieces.put(b"")
            assert (await stream.collect()).text == "One two "

    with ScriptedServer(sent_by(pieces)) as server:
        asyncio.run(main())


@BACKENDS
def test_cancelled_reads_share_the_idle_timeout(backend: str) -> None:
    pieces: Pieces = queue.SimpleQueue()
    world = World()

    async def scenario(client: Any) -> StreamTruncatedError:
        def wait() -> None:
            world.now += 15

        async with begin(client) as stream:
            assert (await anext(stream)).type == "response.started"
            await cancelled(partial(anext, stream), natively=False, then=wait)
            pieces.put(chunk(HALF))
            assert (await anext(stream)).type == "response.started"  # another wait begins
            assert [await anext(stream) for _ in range(2)]
            for _ in range(2):
                await cancelled(partial(anext, stream), natively=False, then=wait)
            with pytest.raises(StreamTruncatedError) as raised:
                await anext(stream)
            pieces.put(b"")
            return raised.value

    pieces.put(head() + chunk(HALF.partition(b"\n\n")[0] + b"\n\n"))
    with ScriptedServer(sent_by(pieces)) as server:
        error = Variant(backend).run(
            scenario, world=world, api_key=KEY, base_url=server.url, timeout=Timeout(idle=20)
        )
    assert isinstance(error.reason, IdleTimeoutError)


@BACKENDS
@pytest.mark.parametrize("stack", STACKS)
def test_a_cancelled_read_through_an_injected_client_closes_the_stream(
    stack: Any, backend: str
) -> None:
    with ScriptedServer([[head() + chunk(HALF)], answer()]) as server:
        run(Variant(backend), made(stack), check_closed, base_url=server.url, timeout=SECONDS)


@BACKENDS
def test_a_cancelled_read_of_a_body_that_a_tool_wraps_closes_the_stream(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrapped(httpx.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream
            self._chunks = aiter(stream)

        def __aiter__(self) -> Any:
            return self._chunks

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def wrap(self: Any, *given: Any, **options: Any) -> Any:
        response = await send(self, *given, **options)
        response.stream = Wrapped(response.stream)
        return response

    send = httpx.AsyncClient.send
    monkeypatch.setattr(httpx.AsyncClient, "send", wrap)
    with ScriptedServer([[head() + chunk(HALF)], answer()]) as server:
        Variant(backend).run(check_closed, api_key=KEY, base_url=server.url, timeout=SECONDS)


async def check_closed(client: Any) -> None:
    """Check what a stream reports after a cancelled read that closed it."""
    async with begin(client) as stream:
        assert [await anext(stream) for _ in range(3)]
        await cancelled(partial(anext, stream), natively=False)
        for read in (stream.collect, partial(anext, stream), partial(anext, stream)):
            with pytest.raises(StreamClosedError) as raised:
                await read()
            assert str(raised.value) == (
                "An earlier read was cancelled, which closed the stream: an HTTP client that "
                "you inject can't continue after that. Read in a separate task, and cancel "
                "only the wait for that task. `partial` contains what arrived; the service may have "
                "continued the response."
            )
        with pytest.raises(StreamClosedError, match="An earlier read was cancelled"):
            stream.text_deltas()
        assert stream.partial.text == "One two "
        assert repr(stream).endswith(": closed>")
    assert (await client.conversations.create()).id == CONVERSATION["_id"]


class AlarmError(Exception):
    """Raised by a signal handler."""


def interrupt_waits(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """Raise an error the next time that a sync client waits for data."""

    def raise_once(*_: Any) -> bool:
        monkeypatch.undo()
        raise error

    monkeypatch.setattr(sync_stream, "is_ready", raise_once)


@pytest.mark.parametrize("error", [KeyboardInterrupt, AlarmError])
def test_an_interrupted_sync_read_closes_the_stream(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    with (
        ScriptedServer([[head() + chunk(HALF)], answer()]) as server,
        Client(KEY, base_url=server.url, timeout=SECONDS) as client,
    ):
        with begin(client) as stream:
            texts = stream.text_deltas()
            assert [next(texts), next(texts)] == ["One ", "two "]
            interrupt_waits(monkeypatch, error)
            with pytest.raises(error):
                next(texts)
            for read in (stream.collect, partial(next, texts), partial(next, stream)):
                with pytest.raises(StreamClosedError) as raised:
                    read()
                assert str(raised.value) == (
                    f"An earlier read was interrupted by {error.__name__}, which closed the "
                    "stream: data may be lost. `partial` contains what arrived; the service may "
                    "have continued the response."
                )
            assert stream.partial.text == "One two "
        assert client.conversations.create().id == CONVERSATION["_id"]


@BACKENDS
def test_an_interrupted_async_read_closes_the_stream(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(client: Any) -> None:
        async with begin(client) as stream:
            monkeypatch.setattr(stream._body, "read", interrupt)
            with pytest.raises(KeyboardInterrupt):
                await anext(stream.text_deltas())
            with pytest.raises(StreamClosedError, match="interrupted by KeyboardInterrupt"):
                await anext(stream)

    async def interrupt() -> bytes:
        raise KeyboardInterrupt

    with ScriptedServer([[head()]]) as server:
        Variant(backend).run(scenario, api_key=KEY, base_url=server.url)


@BACKENDS
def test_a_cancelled_write_loses_no_decrypted_data(backend: str) -> None:
    class Blocked:
        async def write(self, data: bytes, limit: Limit = None) -> None:
            await anyio.sleep_forever()

    class Session:
        """Has received data, and must send something, such as a new key."""

        tls = httpx.Response(200, content=b"x")

        def attempt(self, operation: Any, failed: Any) -> tuple[bytes]:
            return (b"data",)

        def to_send(self) -> bytes:
            return b"key"

    async def main() -> bytes:
        stream: Any = AsyncTLSStream
        found = b""
        with anyio.CancelScope(deadline=-1):
            found += await stream(Blocked(), Session()).read(4)
        return found

    assert anyio.run(main, backend=backend) == b"data"


def page(name: str, *, more: bool) -> bytes:
    data = [{**CONVERSATION, "_id": name}]
    return answer(200, {"object": "list", "data": data, "has_more": more})


@pytest.mark.parametrize("by_page", [False, True])
def test_a_listing_continues_after_an_error(variant: Variant, by_page: bool) -> None:
    async def scenario(client: Any) -> list[Any]:
        listing = client.conversations.list()
        source = listing.pages() if by_page else aiter(listing)
        found = [await anext(source)]
        with pytest.raises(ServerError):
            await anext(source)
        found.append(await anext(source))
        with pytest.raises(StopAsyncIteration):
            await anext(source)
        return [each.data[0].id if by_page else each.id for each in found]

    with ScriptedServer([page("a", more=True), answer(500), page("b", more=False)]) as server:
        found = variant.run(
            lambda client: played(client, scenario),
            api_key=KEY,
            base_url=server.url,
            retry=Retry(attempts=1),
        )
    assert found == ["a", "b"]
    assert [seen.target for seen in server.seen][1:] == ["/v2/conversations/?startingAfter=a"] * 2


@CANCELLERS
def test_a_listing_continues_after_a_cancelled_read(backend: str, natively: bool) -> None:
    async def main() -> list[str | None]:
        async with AsyncClient(KEY, base_url=server.url) as client:
            source = aiter(client.conversations.list())
            found = [(await anext(source)).id]
            await cancelled(
                partial(anext, source), natively=natively, then=partial(has_asked.wait, SECONDS)
            )
            return found + [each.id async for each in source]

    def script() -> Iterator[Any]:
        yield page("a", more=True)
        has_asked.set()
        yield [b"HTTP/1.1 200 OK\r\n"]
        yield page("b", more=False)

    has_asked = threading.Event()
    with ScriptedServer(script()) as server:
        assert anyio.run(main, backend=backend) == ["a", "b"]


def requests(count: int) -> list[CreateRequest]:
    return [{"display_name": str(number)} for number in range(count)]


class Items(AsyncIterator[CreateRequest]):
    """Waits before each item, and continues after a cancellation."""

    def __init__(self) -> None:
        self._items = iter(requests(3))
        self._waits = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> CreateRequest:
        self._waits = not self._waits
        if self._waits:
            await anyio.sleep_forever()
        for item in self._items:
            return item
        raise StopAsyncIteration


async def generated() -> AsyncGenerator[CreateRequest]:
    for item in requests(2):
        yield item
    await anyio.sleep_forever()


@CANCELLERS
def test_outcomes_continue_after_a_cancelled_read(backend: str, natively: bool) -> None:
    async def main() -> list[int]:
        found: list[int] = []
        ended = anyio.Event()

        async def read() -> None:
            async for outcome in outcomes:
                found.append(outcome.index)  # noqa: PERF401 - a comprehension would lose it
            ended.set()

        async with (
            AsyncClient(KEY, base_url=server.url) as client,
            client.conversations.create_many(Items(), max_in_flight=1) as outcomes,
        ):
            while not ended.is_set():
                await cancelled(read, natively=natively)
        return found

    with ScriptedServer(always()) as server:
        assert anyio.run(main, backend=backend) == [0, 1, 2]


@CANCELLERS
def test_a_cancelled_read_that_ended_the_generator_of_the_items(
    backend: str, natively: bool
) -> None:
    async def main() -> None:
        async with (
            AsyncClient(KEY, base_url=server.url) as client,
            client.conversations.create_many(
                generated(), max_in_flight=9, ordered=True
            ) as outcomes,
        ):
            await cancelled(partial(anext, outcomes), natively=natively)
            assert [(await anext(outcomes)).index for _ in range(2)] == [0, 1]
            for _ in range(2):
                with pytest.raises(StreamClosedError, match="its other items were not sent"):
                    await anext(outcomes)

    with ScriptedServer(always()) as server:
        anyio.run(main, backend=backend)
