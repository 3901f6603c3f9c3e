"""Proxies of an injected HTTP client that fail before they receive any part of a request."""

import gc
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from faulty import FaultyServer, Step, Visit, endless, receive, reset, silence
from injected import STACKS, made, run
from scripted import ScriptedServer, answer, refused_url
from variants import KEY, Variant

from conversations_client import (
    ConfigurationError,
    ConnectTimeoutError,
    ConversationsError,
    Delivery,
    ProxyError,
    Retry,
    Timeout,
)

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which is fast to create


async def create(client: Any) -> Any:
    return await client.conversations.create()


def failure(variant: Variant, steps: list[Step], scheme: str, user: str = "") -> ConversationsError:
    """The error of a create request through such a proxy, without a cause and without secrets."""
    with FaultyServer(steps) as proxy, pytest.raises(ConversationsError) as raised:
        run(
            variant,
            made(httpx, proxy=f"{scheme}://{user}{proxy.url.removeprefix('http://')}", verify=TLS),
            create,
            base_url="https://api.invalid",
            timeout=Timeout(idle=0.5),
            retry=Retry(attempts=2, wait_initial=0),
        )
    error = raised.value
    assert error.__cause__ is None
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, 2)
    assert KEY not in str(error)
    assert "secret" not in str(error)
    return error


HTTP: dict[str, list[Step]] = {
    "asks for a password": [receive, answer(407, b"hello")],
    "finds nobody": [receive, answer(502, b"x" * 100_000)],
    "hangs up": [receive],
    "resets": [receive, reset],
    "is none": [receive, b"SSH-2.0-OpenSSH_9.9\r\n\r\n"],
    "has an endless head": [receive, b"HTTP/1.1 200 OK\r\n", endless(b"X: x\r\n" * 1000)],
}


@pytest.mark.parametrize("name", HTTP)
def test_an_http_proxy_that_fails_has_seen_nothing(variant: Variant, name: str) -> None:
    assert type(failure(variant, HTTP[name], "http")) is ProxyError


def test_an_http_proxy_that_is_silent_has_seen_nothing(variant: Variant) -> None:
    assert type(failure(variant, [receive, silence], "http")) is ConnectTimeoutError


def taken(visit: Visit) -> None:
    """Read what arrives."""
    visit.connection.recv(100)


SOCKS: dict[str, list[Step]] = {
    "hangs up": [taken],
    "hangs up in its response": [taken, b"\x05"],
    "speaks HTTP": [taken, answer(400, b"")],
    "accepts no method": [taken, b"\x05\xff"],
    "hangs up later": [taken, b"\x05\x00", taken],
    "resets later": [taken, b"\x05\x00", taken, reset],
    "refuses": [taken, b"\x05\x00", taken, b"\x05\x05\x00\x01" + bytes(6)],
    "refuses with an unknown code": [taken, b"\x05\x00", taken, b"\x05\x63\x00\x01" + bytes(6)],
    "has an unknown address": [taken, b"\x05\x00", taken, b"\x05\x00\x00\x09" + bytes(6)],
    "sends garbage": [taken, b"\x05\x00", taken, b"zz"],
}


@pytest.fixture
def socks() -> Iterator[str]:
    """The scheme; httpx needs its extra of this name."""
    pytest.importorskip("socksio")
    yield "socks5"
    gc.collect()


# httpcore leaves the connection to the garbage collector when the handshake fails.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SOCKS)
def test_a_socks_proxy_that_fails_has_seen_nothing(variant: Variant, socks: str, name: str) -> None:
    assert type(failure(variant, SOCKS[name], socks)) is ProxyError


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_socks_proxy_that_rejects_the_password_has_seen_nothing(
    variant: Variant, socks: str
) -> None:
    steps: list[Step] = [taken, b"\x05\x02", taken, b"\x01\x01"]
    assert type(failure(variant, steps, socks, user="me:secret@")) is ProxyError


# The API key must not cross a network unencrypted.


def from_the_environment(
    stack: Any, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    monkeypatch.setenv("http_proxy", proxy)
    return made(stack, verify=TLS)


def of_its_own(stack: Any, proxy: str, _: pytest.MonkeyPatch) -> Callable[[str], Any]:
    return made(stack, proxy=proxy, verify=TLS)


def for_a_scheme(stack: Any, proxy: str, _: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def make(name: str) -> Any:
        transport = stack.HTTPTransport if name == "Client" else stack.AsyncHTTPTransport
        return made(stack, mounts={"http://": transport(proxy=proxy, verify=TLS)}, verify=TLS)(name)

    return make


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("proxied", [from_the_environment, of_its_own, for_a_scheme])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_request_to_this_machine_is_not_sent_to_a_proxy(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, stack: Any, proxied: Any, scheme: str
) -> None:
    if scheme == "socks5":
        pytest.importorskip("socksio")
    with ScriptedServer([answer()]) as server, ScriptedServer([answer()]) as proxy:
        make = proxied(stack, proxy.url.replace("http", scheme), monkeypatch)
        with pytest.raises(ConfigurationError, match="would send the API key to a proxy"):
            run(variant, make, create, base_url=server.url)
        assert (proxy.connections, server.connections) == (0, 0)
        if scheme == "http":
            run(variant, make, create, base_url=server.url, allow_plain_http=True)
            assert proxy.seen[0].target == f"{server.url}/v2/conversations"


@pytest.mark.parametrize("stack", STACKS)
def test_a_client_that_excludes_this_machine_from_its_proxy(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, stack: Any
) -> None:
    with ScriptedServer([answer()]) as server, refused_url() as proxy:
        make = from_the_environment(stack, proxy, monkeypatch)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        run(variant, make, create, base_url=server.url)
    assert len(server.seen) == 1
