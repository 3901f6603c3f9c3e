"""An interrupted close still closes, and raises the interrupt."""

import math
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from pools import Driven, run
from scripted import ScriptedServer
from streaming import WHOLE, streamed
from variants import KEY, Variant

from conversations_client import Client
from conversations_client._engine.response_body import ResponseBody
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.httpx_clients.bodies import AsyncHTTPXBody, HTTPXBody
from conversations_client._http.streams.errors import ReadError
from conversations_client._http.sync_pool import PooledBody

LIMITS = RequestLimits(connect=None, idle=None, deadline=1.0, clock=float)


def leave_unread(client: Client) -> None:
    with client.conversations.responses.stream("c", message="x", model="a/b"):
        pass


@pytest.mark.parametrize("cls", [PooledBody, ResponseBody])
def test_a_stream_whose_first_close_is_interrupted(
    cls: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    close = cls.close
    closings: list[object] = []

    def interrupted(body: object, **options: Any) -> None:
        closings.append(body)
        if len(closings) == 1:
            raise KeyboardInterrupt
        close(body, **options)

    with (
        ScriptedServer([streamed(WHOLE)] * 2) as server,
        Client(KEY, base_url=server.url, max_connections=1, timeout=5) as client,
    ):
        monkeypatch.setattr(cls, "close", interrupted)
        with pytest.raises(KeyboardInterrupt) as raised:
            leave_unread(client)
        # Over the only connection, which is available again.
        found = client.conversations.responses.create("c", message="x", model="a/b")
        assert found.text == "One two "
    assert closings[:2] == [closings[0]] * 2
    assert raised.traceback  # which protects unclosed objects from the garbage collector


class Interrupted(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream whose first close is interrupted."""

    def __init__(self) -> None:
        self.closings = 0

    def close(self) -> None:
        self.closings += 1
        if self.closings == 1:
            raise KeyboardInterrupt

    async def aclose(self) -> None:
        self.close()


def test_a_body_of_the_http_library_whose_close_is_interrupted() -> None:
    stream = Interrupted()
    body = HTTPXBody(httpx.Response(200, stream=stream), LIMITS)
    with pytest.raises(KeyboardInterrupt):
        body.close()
    assert stream.closings == 2
    body.close()
    assert stream.closings == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_body_of_the_http_library_whose_close_is_interrupted(backend: str) -> None:
    stream = Interrupted()

    async def scenario() -> None:
        body = AsyncHTTPXBody(httpx.Response(200, stream=stream), LIMITS)
        try:
            await body.aclose()
        except KeyboardInterrupt:
            assert stream.closings == 2
            await body.aclose()

    anyio.run(scenario, backend=backend)
    assert stream.closings == 2


class Rest(httpx.AsyncByteStream):
    """A stream that was not read completely."""

    def __init__(self) -> None:
        self.read: list[bytes] = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in (b"a", b"b", b"c"):
            self.read.append(chunk)
            yield chunk


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_rest_of_a_body_of_the_http_library_is_drained(backend: str) -> None:
    stream = Rest()

    async def scenario() -> None:
        limits = RequestLimits(connect=None, idle=None, deadline=math.inf, clock=float)
        body = AsyncHTTPXBody(httpx.Response(200, stream=stream), limits)
        assert await anext(body) == b"a"
        await body.drain(10)
        assert stream.read == [b"a", b"b", b"c"]
        await body.aclose()

    anyio.run(scenario, backend=backend)


class Broken:
    """A connection that breaks, and whose first close is interrupted."""

    def __init__(self) -> None:
        self.closings = 0

    def is_available(self) -> bool:
        return False

    def send(self, _: object) -> Any:
        raise ReadError

    def close(self) -> None:
        self.closings += 1
        if self.closings == 1:
            raise KeyboardInterrupt


class AsyncBroken(Broken):
    async def send(self, _: object) -> Any:
        raise ReadError

    async def aclose(self) -> None:
        self.close()


def test_a_connection_whose_closing_is_interrupted_is_closed_again(variant: Variant) -> None:
    made: list[Broken] = []

    def connect() -> Broken:
        made.append(Broken() if variant.name == "sync" else AsyncBroken())
        return made[-1]

    async def scenario() -> None:
        pool = Driven(variant, "http://127.0.0.1:9", size=1, connect=connect)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                await pool.ask()
        await pool.close()

    run(variant, scenario)
    assert [connection.closings for connection in made] == [2, 2]
