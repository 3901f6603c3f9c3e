"""Proxies of an injected HTTP client that fail before they receive any part of a request."""

import gc
import re
import socket
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
    ConnectError,
    ConnectTimeoutError,
    ConversationsError,
    Delivery,
    ProxyError,
    Retry,
    Timeout,
    TLSError,
    TransportError,
)

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which is fast to create


async def create(client: Any) -> Any:
    return await client.conversations.create()


async def unused(_: Any) -> None:
    raise AssertionError("the client was created")


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
    error = failure(variant, HTTP[name], "http")
    assert type(error) is ProxyError
    assert re.search(OF_CLIENT, str(error))


OF_CLIENT = r": the proxy 127\.0\.0\.1:\d+ of your http_client failed \(.+\): check the client's "


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_refuses_connections(variant: Variant, stack: Any, scheme: str) -> None:
    if scheme == "socks5":
        pytest.importorskip("socksio")
    with refused_url() as proxy, pytest.raises(ProxyError, match=OF_CLIENT) as raised:
        run(
            variant,
            made(stack, proxy=proxy.replace("http://", f"{scheme}://me:secret@"), verify=TLS),
            create,
            base_url="https://api.invalid",
            retry=Retry(attempts=1),
        )
    assert raised.value.delivery is Delivery.UNSENT
    assert raised.value.__cause__ is None
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_whose_name_does_not_resolve(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, stack: Any, scheme: str
) -> None:
    def look_up(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    words = r"the proxy proxy\.invalid:3128 of your http_client failed"
    with pytest.raises(ProxyError, match=words) as raised:
        run(
            variant,
            made(stack, proxy="http://proxy.invalid:3128", verify=TLS),
            create,
            base_url=f"{scheme}://api.invalid",
            allow_plain_http=True,
            retry=Retry(attempts=1),
        )
    assert raised.value.delivery is Delivery.UNSENT


def test_a_proxy_from_the_environment_that_refuses_connections(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused_url() as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(ProxyError, match=OF_CLIENT):
            run(
                variant,
                made(httpx, verify=TLS),
                create,
                base_url="https://api.invalid",
                retry=Retry(attempts=1),
            )


def test_a_direct_connection_that_is_refused_mentions_no_proxy(variant: Variant) -> None:
    with refused_url() as url, pytest.raises(ConnectError) as raised:
        run(
            variant,
            made(httpx, verify=TLS),
            create,
            base_url=url,
            retry=Retry(attempts=1),
        )
    assert "proxy" not in str(raised.value)


@pytest.mark.parametrize(
    ("raised_by_transport", "message"),
    [
        (
            httpx.ConnectError("no route"),
            (
                "could not connect to https://api.invalid (no route): check base_url and the proxy of "
                "your http_client (if it has one) and the network."
            ),
        ),
        (
            httpx.ConnectTimeout("slow"),
            (
                "connecting to https://api.invalid took too long: check base_url and the proxy of your "
                "http_client (if it has one), or increase Timeout(connect=…)."
            ),
        ),
        (
            httpx.ProxyError("403 Forbidden"),
            (
                "the proxy of your http_client failed (403 Forbidden): check the client's proxy "
                "setting, and HTTPS_PROXY and ALL_PROXY if it reads them."
            ),
        ),
    ],
)
def test_a_transport_that_reports_no_connection_may_have_a_proxy(
    variant: Variant, raised_by_transport: Exception, message: str
) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise raised_by_transport

    with pytest.raises(TransportError) as raised:
        run(
            variant,
            made(httpx, transport=httpx.MockTransport(handle)),
            create,
            base_url="https://api.invalid",
        )
    assert f": {message}" in str(raised.value)


def test_a_certificate_error_names_the_proxy(variant: Variant) -> None:
    opened = b"HTTP/1.1 200 OK\r\n\r\n"
    steps: list[Step] = [receive, opened, taken, b"HTTP/1.1 400 Bad Request\r\n\r\n", silence]
    with FaultyServer(steps) as proxy, pytest.raises(TLSError) as raised:
        run(
            variant,
            made(httpx, proxy=proxy.url, verify=TLS),
            create,
            base_url="https://api.invalid",
        )
    address = proxy.url.removeprefix("http://")
    assert f"through the proxy {address} of your http_client could not be" in str(raised.value)
    assert "correct the scheme or port in base_url or that proxy." in str(raised.value)


def test_an_http_proxy_that_is_silent_has_seen_nothing(variant: Variant) -> None:
    error = failure(variant, [receive, silence], "http")
    assert type(error) is ConnectTimeoutError
    assert "of your http_client took too long: check base_url and that proxy, or" in str(error)


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
            run(variant, make, unused, base_url=server.url)
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
