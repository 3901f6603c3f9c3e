"""An injected client of httpx or httpx2 is used unchanged and stays open."""

import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from injected import STACKS, made, pieces, run
from scripted import CONVERSATION, HALF, HANG_UP, ScriptedServer, answer, refused_url
from streaming import END, STARTED, WHOLE, chunk, head, streamed, word
from variants import KEY, Variant

from conversations_client import (
    AsyncClient,
    AuthenticationError,
    Client,
    ClientClosedError,
    ConfigurationError,
    ConnectError,
    ConnectTimeoutError,
    ConversationsError,
    DeadlineError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    PoolTimeoutError,
    ProxyError,
    ResponseTooLargeError,
    Retry,
    StatusError,
    StreamTruncatedError,
    Timeout,
    TLSError,
    TransportError,
    __version__,
)
from conversations_client._base.secret import Secret
from conversations_client._engine import response_body
from conversations_client._http.streams import errors
from conversations_client._http.transport_errors import transport_error


@pytest.fixture(params=STACKS, ids=lambda stack: stack.__name__)
def stack(request: pytest.FixtureRequest) -> Any:
    return request.param


async def create(client: Any) -> Any:
    return await client.conversations.create()


async def respond(client: Any) -> Any:
    return await client.conversations.responses.create("conv_1", message="Hello", model="a/b")


async def pages(client: Any) -> list[Any]:
    return [conversation.id async for conversation in client.conversations.list()]


PAGE = {"object": "list", "data": [CONVERSATION], "has_more": False}


def test_calls_listings_and_streams(variant: Variant, stack: Any) -> None:
    async def scenario(client: Any) -> Any:
        return [(await create(client)).id, await pages(client), (await respond(client)).text]

    with ScriptedServer([answer(), answer(200, PAGE), streamed(WHOLE)]) as server:
        found = run(variant, made(stack), scenario, base_url=server.url)
    assert found == [CONVERSATION["_id"], [CONVERSATION["_id"]], "One two "]
    assert server.connections == 1
    for seen in server.seen:
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        assert seen.headers["user-agent"].startswith("conversations-client/")
    assert server.seen[0].body == b"{}"


def test_settings_of_an_injected_client(variant: Variant, stack: Any) -> None:
    make = made(
        stack,
        headers={"x-own": "1", "authorization": "Bearer other"},
        cookies={"own": "2"},
        params={"own": "3"},
        auth=("user", "password"),
        follow_redirects=True,
    )
    elsewhere = answer(302, {}, location="https://elsewhere.example")
    with ScriptedServer([elsewhere]) as server, pytest.raises(StatusError):
        run(variant, make, create, base_url=server.url, retry=Retry(attempts=1))
    (seen,) = server.seen
    assert seen.target == "/v2/conversations?own=3"
    assert (seen.headers["x-own"], seen.headers["cookie"]) == ("1", "own=2")
    assert seen.headers["authorization"] == f"Bearer {KEY}"


def test_parameters_of_an_injected_client_do_not_replace_the_query(
    variant: Variant, stack: Any
) -> None:
    async def scenario(client: Any) -> None:
        await client.request(
            "GET", "/v2/things", returns=dict, query={"limit": "1", "name": "a b&+ü", "x": "%2F"}
        )

    make = made(stack, params={"own": "3", "limit": "9"})
    with ScriptedServer([answer(200, {})]) as server:
        run(variant, make, scenario, base_url=server.url)
    (seen,) = server.seen
    assert parse_qsl(seen.target.partition("?")[2]) == [
        ("own", "3"),
        ("limit", "1"),
        ("name", "a b&+ü"),
        ("x", "%2F"),
    ]


ERRORS: list[tuple[Any, Any, dict[str, Any], type[ConversationsError], Delivery]] = [
    (create, answer(401, {}), {}, AuthenticationError, Delivery.REFUSED),
    (create, HANG_UP, {}, DisconnectError, Delivery.UNKNOWN),
    (create, b"nonsense\r\n\r\n", {}, DisconnectError, Delivery.UNKNOWN),
    (create, [b""], {"timeout": Timeout(idle=0.5)}, IdleTimeoutError, Delivery.UNKNOWN),
    (create, [HALF], {"timeout": Timeout(total=1.0)}, DeadlineError, Delivery.UNKNOWN),
    (create, answer(), {"max_response_bytes": 9}, ResponseTooLargeError, Delivery.UNKNOWN),
    (pages, HANG_UP, {"retry": Retry(attempts=1)}, DisconnectError, Delivery.UNKNOWN),
    (respond, HANG_UP, {}, DisconnectError, Delivery.UNKNOWN),
    (respond, head() + chunk(STARTED) + b"?\r\n", {}, StreamTruncatedError, Delivery.UNKNOWN),
    (
        respond,
        [head() + chunk(STARTED)],
        {"timeout": Timeout(idle=0.5)},
        StreamTruncatedError,
        Delivery.UNKNOWN,
    ),
]


@pytest.mark.parametrize("row", ERRORS)
def test_failures_raise_the_packages_errors(
    variant: Variant,
    stack: Any,
    row: tuple[Any, Any, dict[str, Any], type[ConversationsError], Delivery],
) -> None:
    call, step, options, expected, delivery = row
    with ScriptedServer([step]) as server, pytest.raises(ConversationsError) as raised:
        run(variant, made(stack), call, base_url=server.url, **options)
    assert type(raised.value) is expected
    assert (raised.value.delivery, raised.value.attempts) == (delivery, 1)
    assert len(server.seen) == 1


def test_a_transport_that_quotes_the_key_does_not_make_it_part_of_an_error(
    variant: Variant, stack: Any
) -> None:
    def refuse(request: Any) -> Any:
        raise stack.ReadError(f"no good: {request.headers['authorization']}")

    make = made(stack, transport=stack.MockTransport(refuse))
    with pytest.raises(DisconnectError, match=r"no good: Bearer \[redacted\]") as raised:
        run(variant, make, create, base_url="https://api.example")
    assert KEY not in "".join(traceback.format_exception(raised.value))


def test_no_connection(variant: Variant, stack: Any) -> None:
    with refused_url() as gone, pytest.raises(ConnectError, match="check base_url") as raised:
        run(variant, made(stack), create, base_url=gone, retry=Retry(attempts=1))
    assert type(raised.value) is ConnectError
    assert raised.value.delivery is Delivery.UNSENT


def test_an_untrusted_certificate(variant: Variant, stack: Any) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(serving)  # pyright: ignore[reportUnknownMemberType]
    make = made(stack, verify=ssl.create_default_context())
    with (
        ScriptedServer([answer()], tls=serving) as server,
        pytest.raises(TLSError, match="certificate"),
    ):
        run(variant, make, create, base_url=server.url)


def test_no_connection_is_released(variant: Variant, stack: Any) -> None:
    async def scenario(client: Any) -> None:
        async with client.conversations.responses.stream("conv_1", message="Hello", model="a/b"):
            await create(client.with_options(timeout=0.05))

    make = made(stack, limits=stack.Limits(max_connections=1))
    with (
        ScriptedServer([[head() + chunk(STARTED)]]) as server,
        pytest.raises(PoolTimeoutError) as raised,
    ):
        run(variant, make, scenario, base_url=server.url)
    assert raised.value.delivery is Delivery.UNSENT


def test_leaving_a_stream_releases_its_connection(variant: Variant, stack: Any) -> None:
    async def scenario(client: Any) -> None:
        for _ in range(3):
            async with client.conversations.responses.stream(
                "conv_1", message="Hello", model="a/b"
            ) as events:
                await anext(events)
        await create(client)

    make = made(stack, limits=stack.Limits(max_connections=1))
    with ScriptedServer([[head() + chunk(STARTED)]] * 3 + [answer()]) as server:
        run(variant, make, scenario, base_url=server.url, timeout=10)
    assert len(server.seen) == 4


def test_a_custom_transport(variant: Variant, stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_body, "_DRAINING_SECONDS", 0.01)
    body = pieces(stack, b"", STARTED, b"", word("One "), b"", word("two ") + END)
    kind = {"Content-Type": "text/event-stream"}

    def respond_with(_: Any) -> Any:
        return stack.Response(200, headers=kind, stream=body)

    transport = stack.MockTransport(respond_with)
    assert run(variant, made(stack, transport=transport), respond).text == "One two "
    assert body.closed


def test_an_injected_client_stays_open_and_is_not_used_after_close(
    variant: Variant, stack: Any
) -> None:
    brought: list[Any] = []

    def make(name: str) -> Any:
        brought.append(getattr(stack, name)())
        return brought[0]

    async def scenario(client: Any) -> None:
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await create(client)
        assert not brought[0].is_closed

    run(variant, make, scenario)
    assert brought[0].is_closed


def test_a_closed_injected_client_is_rejected(variant: Variant, stack: Any) -> None:
    brought: list[Any] = []

    def make(name: str) -> Any:
        brought.append(getattr(stack, name)())
        return brought[0]

    async def scenario(client: Any) -> None:
        await (brought[0].aclose() if hasattr(brought[0], "aclose") else closed(brought[0]))
        with pytest.raises(ClientClosedError, match="The HTTP client that you passed"):
            await create(client)

    run(variant, make, scenario)


async def closed(client: Any) -> None:
    client.close()


def test_an_injected_client_of_the_other_variant_is_rejected(stack: Any) -> None:
    with stack.Client() as own:
        brought: Any = own
        with pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient or an httpx2\.AsyncCl"):
            AsyncClient(KEY, http_client=brought)
    other: Any = stack.AsyncClient()
    with pytest.raises(ConfigurationError, match=r"an httpx\.Client or an httpx2\.Client, not Asy"):
        Client(KEY, http_client=other)


def test_httpx2_is_not_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "httpx2")
    brought: Any = object()
    with pytest.raises(ConfigurationError, match="not object"):
        Client(KEY, http_client=brought)
    with pytest.raises(DisconnectError), ScriptedServer([HANG_UP]) as server:
        run(Variant("sync"), made(STACKS[0]), create, base_url=server.url)


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


KINDS: list[tuple[str, type[TransportError], Delivery]] = [
    ("ConnectTimeout", ConnectTimeoutError, Delivery.UNSENT),
    ("PoolTimeout", PoolTimeoutError, Delivery.UNSENT),
    ("ReadTimeout", IdleTimeoutError, Delivery.UNKNOWN),
    ("WriteTimeout", IdleTimeoutError, Delivery.UNKNOWN),
    ("ProxyError", ProxyError, Delivery.UNSENT),
    ("ConnectError", ConnectError, Delivery.UNSENT),
    ("UnsupportedProtocol", ConnectError, Delivery.UNSENT),
    ("InvalidURL", ConnectError, Delivery.UNSENT),
    ("RemoteProtocolError", DisconnectError, Delivery.UNKNOWN),
    ("ReadError", DisconnectError, Delivery.UNKNOWN),
    ("DecodingError", DisconnectError, Delivery.UNKNOWN),
]


@pytest.mark.parametrize(("name", "expected", "delivery"), KINDS)
def test_errors_of_the_http_libraries_are_mapped(
    stack: Any, name: str, expected: type[TransportError], delivery: Delivery
) -> None:
    cls: Any = getattr(stack, name)

    class Subclass(cls):  # type: ignore[misc]
        pass

    for error in (cls("x"), Subclass("x"), caused(cls("x"), TimeoutError())):
        found = transport_error(error, Secret(KEY))
        assert type(found) is expected
        assert found.delivery is delivery


def test_errors_below_the_http_libraries_are_mapped(stack: Any) -> None:
    tls = transport_error(
        caused(stack.ConnectError("bad certificate."), ssl.SSLError()), Secret(KEY)
    )
    assert (type(tls), tls.delivery) == (TLSError, Delivery.UNSENT)
    broken = transport_error(OSError(5, "x"), Secret(KEY))
    assert (type(broken), broken.delivery) == (DisconnectError, Delivery.UNKNOWN)


def test_a_header_that_cannot_be_sent_is_not_quoted(stack: Any) -> None:
    for raised in (
        stack.LocalProtocolError(f"Illegal header value b'{KEY}'"),
        stack.RemoteProtocolError(f"illegal status line: b'{KEY}'"),
    ):
        assert KEY not in str(transport_error(raised, Secret(KEY)))


@pytest.mark.parametrize("kind", [bytes, bytearray])
@given(content=st.binary(max_size=20))
def test_bytes_in_a_message_are_shown_as_text(
    kind: Callable[[bytes], object], content: bytes
) -> None:
    error = transport_error(errors.ConnectError(f"bad: {kind(content)!r}"), Secret(KEY))
    assert f"(bad: {content.decode('latin-1')!r})" in str(error)


@pytest.mark.parametrize(
    "reason", ["b'\xe9'", r"b'\x'", r"b'\d'", "b'", "b'\"", r"b'\'", "bytearray(b", "grab'x'"]
)
def test_text_that_only_resembles_bytes_is_unchanged(reason: str) -> None:
    # A proxy chooses the reason after the status.
    error = transport_error(errors.ProxyError(f"403 {reason}"), Secret(KEY))
    assert f"(403 {reason})" in str(error)


def test_quotes_of_a_response_fit_on_a_line(stack: Any) -> None:
    said = str(transport_error(stack.RemoteProtocolError("x" * 10**5), Secret(KEY)))
    assert said == f"the connection broke ({'x' * 200}…)."


PROGRAM = """
import sys
import httpx2

httpx2.alias_httpx()

import anyio
from conversations_client import AsyncClient, Client, DisconnectError

options = {"api_key": sys.argv[1], "base_url": sys.argv[2], "timeout": 10}
say = {"message": "Hello", "model": "a/b"}

with Client(**options) as client:
    print(client.conversations.create().display_name)
    print([each.display_name for each in client.conversations.list()])
    print(client.conversations.responses.create("conv_1", **say).text)
    try:
        client.conversations.create()
    except DisconnectError as error:
        print(error.delivery)

async def main():
    async with AsyncClient(**options) as client:
        print((await client.conversations.create()).display_name)
        print([each.display_name async for each in client.conversations.list()])
        print((await client.conversations.responses.create("conv_1", **say)).text)
        try:
            await client.conversations.create()
        except DisconnectError as error:
            print(error.delivery)

anyio.run(main)
anyio.run(main, backend="trio")
import httpcore, httpx
print(httpx.__name__, httpcore.__name__)
"""


def test_the_client_works_with_httpx2() -> None:
    script = [answer(), answer(200, PAGE), streamed(WHOLE), HANG_UP]
    with ScriptedServer(script * 3) as server:
        command = [sys.executable, "-W", "error", "-c", PROGRAM, KEY, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.stderr == ""
    name = CONVERSATION["displayName"]
    each = [name, f"['{name}']", "One two ", "unknown"]
    assert done.stdout.splitlines() == [*each * 3, "httpx2 httpcore2"]
    assert {seen.headers["user-agent"] for seen in server.seen} == {
        f"conversations-client/{__version__}"
    }
