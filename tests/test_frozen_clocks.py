"""Frozen clocks, as with freezegun, before or after the package is imported."""

import subprocess
import sys
import time
from functools import partial
from typing import Any

import anyio
import pytest
from scripted import HALF, ScriptedServer, answer
from streaming import STARTED, WHOLE, chunk, head, streamed
from variants import KEY

from conversations_client import AsyncClient, ConversationsError, Retry, Timeout
from conversations_client._engine.environment import Environment
from conversations_client._http.streams import watchdog
from conversations_client._http.streams.watchdog import is_clock_replaced

PROGRAM = """
import sys, time
import anyio, httpx, trio, trio._core._run

def freeze():
    for name, now in (("time", 1_700_000_000.0), ("monotonic", 5.0), ("perf_counter", 5.0)):
        setattr(time, name, lambda now=now: now)
    trio._core._run.perf_counter = time.perf_counter

def load():
    import conversations_client
    conversations_client.Client
    import conversations_client._engine.async_engine, conversations_client._engine.engine

when, backend, url = sys.argv[1:]
load() if when == "after" else None
freeze()
load()
from conversations_client import *

KEY = "key-0123456789"
QUICK = {"base_url": url, "timeout": Timeout(total=1, idle=5)}
IDLE = {"base_url": url, "timeout": Timeout(total=None, connect=None, idle=0.5)}
ONCE = {"retry": Retry(attempts=1)}

async def outcome(call):
    try:
        result = call()
        return type(await result if hasattr(result, "__await__") else result).__name__
    except ConversationsError as error:
        return type(error).__name__

def calls(client, listed):
    yield lambda: client.conversations.retrieve("conv_1")        # no response
    yield lambda: client.conversations.retrieve("conv_1")        # half a response
    patient = client.with_options(timeout=20)
    yield lambda: patient.conversations.retrieve("conv_1")       # a pause, and a date to wait for
    idle = client.with_options(timeout=IDLE["timeout"], retry=ONCE["retry"])
    yield lambda: idle.conversations.retrieve("conv_1")          # no response, and no total
    yield lambda: idle.conversations.responses.create("conv_1", message="x", model="a/b")

async def main():
    if backend == "sync":
        with Client(KEY, **QUICK) as client:
            print(*[await outcome(call) for call in calls(client, list)])
    else:
        async with AsyncClient(KEY, **QUICK) as client:
            print(*[await outcome(call) for call in calls(client, list)])

anyio.run(main, backend="asyncio" if backend == "sync" else backend)
"""
OUTCOMES = (
    "DeadlineError DeadlineError ConversationWithMessages IdleTimeoutError StreamTruncatedError"
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
def test_nothing_waits_forever_with_a_frozen_clock(when: str, backend: str) -> None:
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    script: list[bytes | list[bytes]] = [
        [b""],
        [HALF],
        answer(500, {}),
        answer(429, {}, Retry_After=date),
        answer(200),
        [b""],
        [head() + chunk(STARTED)],
    ]
    with ScriptedServer(script) as server:
        command = [sys.executable, "-c", PROGRAM, when, backend, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert (done.stderr, done.stdout.strip()) == ("", OUTCOMES)


def test_an_engine_uses_the_real_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment()
    assert not is_clock_replaced()
    monkeypatch.setattr(time, "time", lambda: 1.0)
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    assert is_clock_replaced()
    assert environment.wall() == 1.0
    assert environment.clock() != 1.0


async def outcomes(url: str) -> list[str]:
    """The outcomes of calls that only their timeouts end."""
    found: list[str] = []
    once, idle = Retry(attempts=1), Timeout(total=None, connect=None, idle=0.5)
    async with AsyncClient(KEY, base_url=url, timeout=idle, retry=once) as client:
        for call in (
            partial(client.with_options(timeout=0.5).conversations.retrieve, "conv_1"),
            partial(client.conversations.retrieve, "conv_1"),
            partial(client.conversations.responses.create, "conv_1", message="x", model="a/b"),
            partial(client.conversations.responses.create, "conv_1", message="x", model="a/b"),
            partial(client.with_options(retry=Retry()).conversations.create),
        ):
            try:
                found.append(type(await call()).__name__)
            except ConversationsError as error:
                found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_timeouts_work_with_a_replaced_clock(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    started = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: started)
    script: list[bytes | list[bytes]] = [
        [b""],
        [b""],
        [head() + chunk(STARTED)],
        streamed(WHOLE),
        answer(429, {}, Retry_After="0.01"),
        answer(),
    ]
    with ScriptedServer(script) as server:
        assert anyio.run(outcomes, server.url, backend=backend) == [
            "DeadlineError", "IdleTimeoutError", "StreamTruncatedError", "Response", "Conversation",
        ]  # fmt: skip


def test_an_event_loop_can_end_before_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)

    async def begin() -> Any:
        scope: Any = watchdog.move_on_after(60)
        with scope:
            return scope

    for backend in ("asyncio", "trio"):
        scope = anyio.run(begin, backend=backend)
        scope._expire(scope._timer.args[0])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_limit_stays_no_limit(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    unlimited = Timeout(total=None, connect=None, idle=None)

    async def main() -> str:
        async with AsyncClient(KEY, base_url=server.url, timeout=unlimited) as client:
            await client.conversations.create()
            return (await client.conversations.responses.create("c", message="x", model="a/b")).text

    with ScriptedServer([answer(), streamed(WHOLE)]) as server:
        assert anyio.run(main, backend=backend) == "One two "
