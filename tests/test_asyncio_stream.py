"""A connection in an event loop of asyncio: what it buffers and when it waits."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from conversations_client._http.streams.asyncio_stream import AsyncioStream, _expire
from conversations_client._http.streams.errors import (
    ReadError,
    ReadTimeout,
    WriteError,
    WriteTimeout,
)

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


def made() -> tuple[AsyncioStream, Transport]:
    stream, transport = AsyncioStream(asyncio.get_running_loop()), Transport()
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
    _expire(waiter, ReadTimeout)
    assert await waiter is None


@in_a_loop
async def test_a_read_that_takes_too_long() -> None:
    stream, _ = made()
    with pytest.raises(ReadTimeout):
        await stream.read(10, 0)


@in_a_loop
async def test_what_came_before_the_connection_was_lost_is_read() -> None:
    stream, _ = made()
    stream.data_received(b"one")
    stream.connection_lost(ConnectionResetError("reset"))
    assert await stream.read(10) == b"one"
    with pytest.raises(ReadError, match="reset"):
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
    with pytest.raises(WriteTimeout):
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
    with pytest.raises(WriteError):
        await stream.write(b"one")
    assert transport.told == []


@in_a_loop
async def test_a_failed_write_loses_nothing_that_was_sent_before() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = AsyncioStream(asyncio.get_running_loop())
        stream.connection_made(Connected(ours))
        theirs.send(b"refused")
        stream.connection_lost(BrokenPipeError("broken pipe"))
    assert await stream.read(10) == b"refused"
    with pytest.raises(ReadError, match="broken pipe"):
        await stream.read(10)


class Connected(Transport):
    """A transport with a socket."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._connection if name == "socket" else default
