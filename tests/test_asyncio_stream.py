"""A connection in an event loop of asyncio: what it holds, when it waits, which address it takes."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore
import pytest
from scripted import ScriptedServer, always

from conversations_client._http.connections import asyncio_stream
from conversations_client._http.connections.asyncio_stream import AsyncioStream, _expire, connect

MUCH = 70_000


class Transport(asyncio.Transport):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []
        self.closing = False

    def write(self, data: Any) -> None:
        self.told.append(data)

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")

    def abort(self) -> None:
        self.told.append("abort")

    def is_closing(self) -> bool:
        return self.closing


def made(loop: Any = None, *, encrypted: bool = False) -> tuple[AsyncioStream, Transport]:
    stream, transport = (
        AsyncioStream(loop or asyncio.get_running_loop(), encrypted=encrypted),
        Transport(),
    )
    stream.connection_made(transport)
    return stream, transport


async def started(work: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Work that waits for something by now."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    assert not task.done()
    return task


def in_a_loop(scenario: Callable[[], Any]) -> Callable[[], None]:
    def test() -> None:
        asyncio.run(scenario())

    return test


@in_a_loop
async def test_more_than_is_read_is_left_to_the_peer() -> None:
    stream, transport = made()
    for _ in range(2):
        stream.data_received(b"x" * MUCH)
    assert transport.told == ["pause", "pause"]
    assert len(await stream.read(MUCH)) == MUCH
    assert transport.told == ["pause", "pause"]
    assert len(await stream.read(10_000)) == 10_000
    assert transport.told == ["pause", "pause", "resume"]
    assert len(await stream.read(MUCH)) == MUCH - 10_000


@in_a_loop
async def test_nothing_more_is_asked_of_a_connection_that_closes() -> None:
    stream, transport = made()
    stream.data_received(b"x" * MUCH)
    transport.closing = True
    assert len(await stream.read(MUCH)) == MUCH
    assert transport.told == ["pause"]


@in_a_loop
async def test_a_read_waits_for_what_comes() -> None:
    stream, _ = made()
    reading = await started(stream.read(10, 60))
    stream.data_received(b"one")
    stream.data_received(b"two")
    assert await reading == b"onetwo"


@in_a_loop
async def test_others_have_their_turn_before_what_is_there_is_read() -> None:
    stream, _ = made()
    stream.data_received(b"one")
    reading = await started(stream.read(10))
    assert await reading == b"one"


@in_a_loop
async def test_what_comes_with_the_end_of_the_time_is_in_time() -> None:
    stream, _ = made()
    reading = await started(stream.read(10, 0))
    stream.data_received(b"one")
    assert await reading == b"one"


@in_a_loop
async def test_time_that_is_over_together_with_the_wait_changes_nothing() -> None:
    waiter = asyncio.get_running_loop().create_future()
    waiter.set_result(None)
    _expire(waiter, httpcore.ReadTimeout)
    assert await waiter is None


@in_a_loop
async def test_a_read_that_takes_too_long() -> None:
    stream, _ = made()
    with pytest.raises(httpcore.ReadTimeout):
        await stream.read(10, 0)


@in_a_loop
async def test_what_came_before_the_connection_was_lost_is_read() -> None:
    stream, _ = made()
    stream.data_received(b"one")
    stream.connection_lost(ConnectionResetError("reset"))
    assert await stream.read(10) == b"one"
    with pytest.raises(httpcore.ReadError, match="reset"):
        await stream.read(10)


@in_a_loop
async def test_the_end_is_read_as_nothing() -> None:
    stream, _ = made()
    reading = await started(stream.read(10))
    stream.eof_received()
    stream.connection_lost(None)
    assert await reading == b""
    assert stream.get_extra_info("is_readable")


@in_a_loop
async def test_a_write_waits_for_a_slow_peer() -> None:
    stream, transport = made()
    stream.pause_writing()
    writing = await started(stream.write(b"one", 60))
    assert transport.told == [b"one"]
    stream.resume_writing()
    await writing
    await stream.write(b"two")
    assert transport.told == [b"one", b"two"]


@in_a_loop
async def test_a_write_to_a_peer_that_takes_too_long() -> None:
    stream, _ = made()
    stream.pause_writing()
    with pytest.raises(httpcore.WriteTimeout):
        await stream.write(b"one", 0)


@in_a_loop
async def test_a_write_ends_where_the_connection_is_lost() -> None:
    stream, _ = made()
    stream.pause_writing()
    writing = await started(stream.write(b"one"))
    stream.connection_lost(None)
    await writing


@in_a_loop
async def test_a_write_to_a_connection_that_closes() -> None:
    stream, transport = made()
    transport.closing = True
    with pytest.raises(httpcore.WriteError):
        await stream.write(b"one")
    assert transport.told == []


class Encrypting:
    """An event loop in which encryption comes to something."""

    def __init__(self, outcome: Callable[[], Awaitable[Any]]) -> None:
        self._outcome = outcome

    async def start_tls(self, *_: Any, **__: Any) -> Any:
        return await self._outcome()


async def nothing() -> None:
    """A connection that was lost on the way."""


async def for_ever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ssl.SSLError


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (nothing, httpcore.ConnectError),
        (broken, httpcore.ConnectError),
        (for_ever, httpcore.ConnectTimeout),
    ],
)
def test_encryption_that_fails(outcome: Any, error: type[Exception]) -> None:
    async def scenario() -> None:
        stream, transport = made(Encrypting(outcome), encrypted=True)
        assert transport.told == ["pause"]
        with pytest.raises(error):
            await stream.start_tls(ssl.create_default_context(), "h", 0)

    asyncio.run(scenario())


async def reached(url: str, host: str, **options: Any) -> Any:
    """The end of a connection that was made."""
    stream = await connect(host, int(url.rpartition(":")[2]), 5.0, encrypted=False, **options)
    ends = stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr")
    await stream.aclose()
    return ends


def test_a_host_by_its_name_or_its_address() -> None:
    with ScriptedServer(always()) as server:
        for host in ("localhost", "127.0.0.1"):
            _, peer = asyncio.run(reached(server.url, host))
            assert peer == ("127.0.0.1", int(server.url.rpartition(":")[2]))


class Addresses:
    """The connections to the addresses of a host, each as a test has it."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, pause: float, **attempts: Callable[[], Any]
    ) -> None:
        self.tried: list[str] = []
        self.transports: list[Transport] = []
        self._attempts = attempts

        def found(*_: Any) -> list[str]:
            return list(attempts)

        monkeypatch.setattr(asyncio_stream, "addresses", found)
        monkeypatch.setattr(asyncio_stream, "_NEXT_ADDRESS", pause)
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "create_connection", self._connected)

    async def _connected(self, make: Callable[[], AsyncioStream], host: str, _: int) -> Any:
        self.tried.append(host)
        await self._attempts[host]()
        stream, transport = make(), Transport()
        stream.connection_made(transport)
        self.transports.append(transport)
        return transport, stream


async def refused() -> None:
    raise ConnectionRefusedError("refused")


async def at_once() -> None:
    pass


async def reached_all_the_same() -> None:
    try:
        await for_ever()
    except asyncio.CancelledError:
        return


def racing(
    monkeypatch: pytest.MonkeyPatch,
    limit: float = 60,
    pause: float = 0,
    **attempts: Callable[[], Any],
) -> tuple[Addresses, Any]:
    async def race() -> tuple[Addresses, Any]:
        with monkeypatch.context() as patching:
            addresses = Addresses(patching, pause, **attempts)
            try:
                return addresses, await connect("h", 1, limit, encrypted=False)
            except httpcore.ConnectError as error:
                return addresses, error

    return asyncio.run(race())


def test_the_next_address_is_tried_where_one_refuses_or_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses, stream = racing(monkeypatch, a=refused, b=for_ever, c=at_once)
    assert addresses.tried == ["a", "b", "c"]
    assert isinstance(stream, AsyncioStream)
    assert [transport.told for transport in addresses.transports] == [[]]


def test_no_address_is_tried_after_one_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses, _ = racing(monkeypatch, pause=60, a=refused, b=at_once, c=for_ever)
    assert addresses.tried == ["a", "b"]


def test_no_address_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    _, error = racing(monkeypatch, a=refused, b=refused)
    assert str(error) == "refused"


def test_addresses_that_are_silent_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(httpcore.ConnectTimeout):
        racing(monkeypatch, limit=0, a=for_ever)


def test_of_two_that_are_reached_at_once_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses, _ = racing(monkeypatch, a=reached_all_the_same, b=at_once)
    assert sorted(transport.told for transport in addresses.transports) == [[], ["abort"]]


def test_a_connection_is_closed_whose_task_was_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async def cancelled() -> None:
            task.cancel()

        with monkeypatch.context() as patching:
            addresses = Addresses(patching, 60, a=cancelled)
            task = asyncio.ensure_future(connect("h", 1, None, encrypted=False))
            with pytest.raises(asyncio.CancelledError):
                await task
        assert [transport.told for transport in addresses.transports] == [["abort"]]

    asyncio.run(scenario())
