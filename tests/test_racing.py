"""Connections to hosts with several addresses, on asyncio and trio."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client._http.streams import racing
from conversations_client._http.streams.anyio_stream import AnyIOStream
from conversations_client._http.streams.errors import ConnectError, ConnectTimeout
from conversations_client._http.streams.racing import connect_to_host

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])

Attempt = Callable[[], Awaitable[Any]]


class Stream(AnyIOStream):
    def __init__(self) -> None:
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


class Host:
    """A host with several addresses, each with a scripted behavior."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pause: float, **attempts: Attempt) -> None:
        self.tried: list[str] = []
        self.streams: list[Stream] = []
        self._attempts = attempts
        monkeypatch.setattr(racing, "addresses", self._found)
        monkeypatch.setattr(racing, "_ATTEMPT_DELAY", pause)

    def _found(self, *_: object) -> list[str]:
        return list(self._attempts)

    async def connect(self, address: str) -> Stream:
        self.tried.append(address)
        await self._attempts[address]()
        self.streams.append(Stream())
        return self.streams[-1]

    def reached(self, backend: str, limit: float = 60) -> Any:
        async def race() -> Any:
            try:
                return await connect_to_host("h", 1, limit, self.connect)
            except ConnectError as error:
                return error

        return anyio.run(race, backend=backend)


async def refuse() -> None:
    raise ConnectionRefusedError("refused")


async def break_off() -> None:
    raise ConnectError("refused")


async def accept() -> None:
    pass


async def accept_when_cancelled() -> None:
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        return


@BACKENDS
def test_the_next_address_is_tried_after_a_refusal_or_silence(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(monkeypatch, 0, a=refuse, b=anyio.sleep_forever, c=break_off, d=accept)
    assert isinstance(host.reached(backend), Stream)
    assert host.tried == ["a", "b", "c", "d"]
    assert [stream.closed for stream in host.streams] == [0]


@BACKENDS
def test_no_address_is_tried_after_one_that_accepts(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(monkeypatch, 60, a=refuse, b=accept, c=anyio.sleep_forever)
    host.reached(backend)
    assert host.tried == ["a", "b"]


@BACKENDS
@pytest.mark.parametrize("fail", [refuse, break_off])
def test_no_address_accepts(backend: str, monkeypatch: pytest.MonkeyPatch, fail: Attempt) -> None:
    assert str(Host(monkeypatch, 0, a=fail, b=fail).reached(backend)) == "refused"


async def give_up() -> None:
    raise TimeoutError("the system waited long enough")


@BACKENDS
def test_an_address_whose_connection_the_system_aborts(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConnectTimeout, match="long enough"):
        Host(monkeypatch, 0, a=give_up).reached(backend)


@BACKENDS
def test_silent_addresses_time_out(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectTimeout):
        Host(monkeypatch, 0, a=anyio.sleep_forever).reached(backend, limit=0.01)


@BACKENDS
def test_the_second_of_two_connections_is_closed(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(monkeypatch, 0, a=accept_when_cancelled, b=accept)
    assert host.reached(backend).closed == 0
    assert sorted(stream.closed for stream in host.streams) == [0, 1]


@BACKENDS
def test_a_connection_of_a_cancelled_task_is_closed(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async def cancel() -> None:
            scope.cancel()

        host = Host(monkeypatch, 60, a=cancel, b=anyio.sleep_forever)
        with anyio.CancelScope() as scope:
            await connect_to_host("h", 1, None, host.connect)
        assert [stream.closed for stream in host.streams] == [1]

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "api.localhost", "127.0.0.1"])
def test_loopback_names(variant: Variant, host: str) -> None:
    with ScriptedServer([answer()]) as server:
        url = server.url.replace("127.0.0.1", host)
        variant.run(lambda client: client.conversations.create(), api_key=KEY, base_url=url)
    assert len(server.seen) == 1
