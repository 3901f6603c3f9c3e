"""An asyncio connection: its buffer and its waits."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from conversations_client._http.streams import asyncio_stream
from conversations_client._http.streams.asyncio_stream import Alarm, AsyncioStream
from conversations_client._http.streams.errors import (
    ReadError,
    ReadTimeout,
    WriteError,
    WriteTimeout,
)

MUCH = 70_000


class Transport(asyncio.Transport):
    """Records its calls."""

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
    """Start work and let it run until it waits."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(0)
    assert not task.done()
    return task


def receive(stream: AsyncioStream, data: bytes) -> None:
    """Give received data to the stream, as asyncio does."""
    while data:
        buffer = stream.get_buffer(-1)
        part = data[: len(buffer)]
        buffer[: len(part)] = part
        stream.buffer_updated(len(part))
        data = data[len(part) :]


def in_a_loop(scenario: Callable[[], Any]) -> Callable[[], None]:
    def test() -> None:
        asyncio.run(scenario())

    return test


@in_a_loop
async def test_reading_pauses_when_the_buffer_is_full() -> None:
    stream, transport = made()
    receive(stream, b"x" * MUCH)
    assert transport.told == ["pause"]
    receive(stream, b"x" * MUCH)
    transport.told.clear()
    assert len(await stream.read(MUCH)) == MUCH
    assert transport.told == []
    assert len(await stream.read(10_000)) == 10_000
    assert transport.told == ["resume"]
    assert len(await stream.read(MUCH)) == MUCH - 10_000


@in_a_loop
async def test_reading_does_not_resume_on_a_closing_connection() -> None:
    stream, transport = made()
    receive(stream, b"x" * MUCH)
    transport.closing = True
    assert len(await stream.read(MUCH)) == MUCH
    assert transport.told == ["pause"]


@in_a_loop
async def test_a_read_waits_for_data() -> None:
    stream, _ = made()
    reading = await started(stream.read(10, 60))
    receive(stream, b"one")
    receive(stream, b"two")
    assert await reading == b"onetwo"


@in_a_loop
async def test_data_of_another_connection_replaces_nothing() -> None:
    (first, _), (second, _) = made(), made()
    receive(first, b"one")
    receive(second, b"two")
    assert (await first.read(10), await second.read(10)) == (b"one", b"two")


@in_a_loop
async def test_threads_have_buffers_of_their_own() -> None:
    stream, _ = made()
    buffer = stream.get_buffer(-1)
    assert stream.get_buffer(-1) is buffer
    assert await asyncio.to_thread(stream.get_buffer, -1) is not buffer


@in_a_loop
async def test_a_read_of_buffered_data_yields_to_other_tasks() -> None:
    stream, _ = made()
    receive(stream, b"one")
    reading = await started(stream.read(10))
    assert await reading == b"one"


@in_a_loop
async def test_data_that_arrives_at_the_deadline_is_read() -> None:
    stream, _ = made()
    reading = await started(stream.read(10, 0))
    receive(stream, b"one")
    assert await reading == b"one"


@in_a_loop
async def test_a_limit_that_ends_together_with_the_wait_changes_nothing() -> None:
    stream, _ = made()
    reading = await started(stream.read(10, 0))
    receive(stream, b"one")
    await asyncio.sleep(0)  # the alarm rings
    assert await reading == b"one"


@in_a_loop
async def test_each_wait_has_its_own_limit() -> None:
    stream, _ = made()
    reading = await started(stream.read(10, 60))
    receive(stream, b"one")
    assert await reading == b"one"
    with pytest.raises(ReadTimeout):
        await stream.read(10, 0)
    reading = await started(stream.read(10))
    receive(stream, b"two")
    assert await reading == b"two"


@in_a_loop
async def test_a_read_timeout() -> None:
    stream, _ = made()
    with pytest.raises(ReadTimeout):
        await stream.read(10, 0)


@in_a_loop
async def test_data_received_before_a_lost_connection_is_read() -> None:
    stream, _ = made()
    receive(stream, b"one")
    stream.connection_lost(ConnectionResetError("reset"))
    assert await stream.read(10) == b"one"
    with pytest.raises(ReadError, match="reset"):
        await stream.read(10)


@in_a_loop
async def test_end_of_file_is_read_as_empty_bytes() -> None:
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
async def test_a_write_timeout() -> None:
    stream, _ = made()
    stream.pause_writing()
    with pytest.raises(WriteTimeout):
        await stream.write(b"one", 0)


@in_a_loop
async def test_a_write_ends_when_the_connection_is_lost() -> None:
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
async def test_a_failed_write_keeps_earlier_data() -> None:
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


class Clock:
    """A clock and the timers of an event loop, both moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], object]]] = []
        self.rung: list[float] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, function: Callable[[], object]) -> "Clock.Timer":
        timer = (self.now + seconds, function)
        self.timers.append(timer)
        return Clock.Timer(self.timers, timer)

    def advance(self, now: float) -> None:
        while self.timers and min(self.timers)[0] <= now:
            first = min(self.timers)
            self.timers.remove(first)
            self.now = first[0]
            first[1]()
        self.now = now

    class Timer:
        def __init__(self, timers: list[Any], timer: object) -> None:
            self._timers, self._timer = timers, timer

        def cancel(self) -> None:
            if self._timer in self._timers:
                self._timers.remove(self._timer)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio_stream, "monotonic", clock.time)
    return clock


def alarm_of(clock: Clock) -> Alarm:
    loop: Any = clock
    return Alarm(loop, lambda: clock.rung.append(clock.now))


def test_an_alarm_rings_once(clock: Clock) -> None:
    alarm = alarm_of(clock)
    alarm.set(5)
    clock.advance(100)
    assert (clock.rung, clock.timers) == ([5], [])


def test_an_alarm_that_is_set_again_needs_no_new_timer(clock: Clock) -> None:
    alarm = alarm_of(clock)
    for second in range(10):
        clock.advance(second)
        alarm.set(20)
        assert len(clock.timers) == 1
        assert clock.timers[0][0] == 20  # the first one's
        alarm.unset()
    alarm.set(20)
    clock.advance(100)
    assert (clock.rung, clock.timers) == ([29], [])


def test_an_alarm_that_is_set_to_ring_earlier(clock: Clock) -> None:
    alarm = alarm_of(clock)
    alarm.set(20)
    alarm.set(5)
    assert len(clock.timers) == 1
    clock.advance(100)
    assert clock.rung == [5]


def test_an_alarm_that_is_unset_does_not_ring_and_ends(clock: Clock) -> None:
    alarm = alarm_of(clock)
    alarm.set(5)
    alarm.unset()
    clock.advance(100)
    assert (clock.rung, clock.timers) == ([], [])


def test_an_alarm_that_is_stopped(clock: Clock) -> None:
    alarm = alarm_of(clock)
    alarm.set(5)
    for _ in range(2):
        alarm.stop()
    assert clock.timers == []
    alarm.set(5)
    clock.advance(100)
    assert clock.rung == [5]


def test_an_alarm_measures_again_once_the_clock_of_the_event_loop_is_replaced(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = alarm_of(clock)
    alarm.set(5)
    timers: list[float] = []

    def call_later(_: object, seconds: float, __: object) -> Clock.Timer:
        timers.append(seconds)
        return Clock.Timer([], None)

    monkeypatch.setattr(asyncio_stream, "is_clock_replaced", lambda: True)
    monkeypatch.setattr(asyncio_stream, "call_later", call_later)
    alarm.set(7)
    assert timers == [7]
    assert clock.timers == []


@in_a_loop
async def test_an_alarm_that_rings_when_nothing_waits_changes_nothing() -> None:
    stream, _ = made()
    stream._expire()
    receive(stream, b"one")
    assert await stream.read(10) == b"one"
