"""The setting `extra_headers` of a client: precedence, copies, pickles, redirects, User-Agent."""

import copy
import pickle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from injected import STACKS, made, run
from pools import either, run_client
from scripted import ScriptedServer, always, answer
from streaming import WHOLE, streamed
from variants import KEY, Variant

from conversations_client import AsyncClient, Client, StatusError, __version__
from conversations_client._calls.operation import Request
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.requests import Requests

OWN = f"conversations-client/{__version__}"

Clients = type[Client] | type[AsyncClient]
BOTH = pytest.mark.parametrize("cls", [Client, AsyncClient])


async def create(client: Any, **options: Any) -> Any:
    return await either(client.conversations.create(**options))


def sent(client: Any, *headers: tuple[str, str], **options: Any) -> list[tuple[str, str]]:
    """The headers of a request of the client, in order."""
    request = Request(method="GET", template="/", path="/", extra_headers=headers, **options)
    limits = RequestLimits(connect=None, idle=None, deadline=0.0, clock=lambda: 0.0)
    made_request = Requests(client._settings).make(request, idempotency_key=None, limits=limits)
    return [(name.decode(), value.decode()) for name, value in made_request.headers]


FIXED = [
    ("Host", "my.orq.ai"),
    ("Authorization", f"Bearer {KEY}"),
    ("User-Agent", OWN),
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip"),
]


@BOTH
def test_headers_of_a_call_replace_those_of_the_client(cls: Clients) -> None:
    client = cls(KEY, extra_headers={"X-Team": "a", "x-empty": "", "x-tea": "b: x-team: c"})
    assert sent(cls(KEY)) == FIXED
    assert sent(client) == [*FIXED, ("X-Team", "a"), ("x-empty", ""), ("x-tea", "b: x-team: c")]
    assert sent(client, ("x-TEAM", "d"), ("X-Trace", "e"), ("X-Empty", "f")) == [
        *FIXED,
        ("x-tea", "b: x-team: c"),
        ("x-TEAM", "d"),
        ("X-Trace", "e"),
        ("X-Empty", "f"),
    ]
    assert sent(client) == [*FIXED, ("X-Team", "a"), ("x-empty", ""), ("x-tea", "b: x-team: c")]


@BOTH
def test_user_agent_replaces_the_clients(cls: Clients) -> None:
    others = [header for header in FIXED if header[0] != "User-Agent"]
    client = cls(KEY, extra_headers={"user-agent": f"app/1 {OWN}"})
    assert sent(client) == [*others, ("user-agent", f"app/1 {OWN}")]
    assert sent(client, ("USER-AGENT", "")) == [*others, ("USER-AGENT", "")]
    assert sent(cls(KEY), ("User-Agent", "x")) == [*others, ("User-Agent", "x")]


NAMES = st.sampled_from(["User-Agent", "user-agent", "X-A", "x-a", "X-Aa", "X", "Accept-Language"])
HEADERS = st.dictionaries(
    NAMES, st.from_regex(r"([!-~]([ -~]{0,9}[!-~])?)?", fullmatch=True)
).filter(lambda headers: len({name.lower() for name in headers}) == len(headers))


@given(HEADERS, HEADERS, st.booleans())
def test_any_headers_are_merged(
    of_the_client: dict[str, str], of_the_call: dict[str, str], streams: bool
) -> None:
    client = Client(KEY, extra_headers=of_the_client)
    found = sent(client, *of_the_call.items(), streams=streams)
    plain = sent(Client(KEY), streams=streams)
    expected: dict[str, str] = {}
    for each in (plain, of_the_client.items(), of_the_call.items()):
        expected |= {name.lower(): value for name, value in each}
    assert {name.lower(): value for name, value in found} == expected
    assert len(found) == len(expected)


def test_injected_clients_send_the_headers(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        await create(client)
        await create(client, extra_headers={"x-own": "call", "user-agent": "call/1"})
        other = client.with_options(extra_headers=None)
        await create(other)
        await client.conversations.responses.create("conv_1", message="Hello", model="a/b")

    for stack in STACKS:
        make = made(stack, headers={"X-OWN": "http", "User-Agent": "http/1", "X-Http": "1"})
        script = [answer(), answer(), answer(), streamed(WHOLE)]
        headers = {"x-Own": "client", "user-Agent": "client/1"}
        with ScriptedServer(script) as server:
            run(variant, make, scenario, base_url=server.url, extra_headers=headers)
        assert [seen.headers["x-own"] for seen in server.seen] == [
            "client",
            "call",
            "http",
            "client",
        ]
        assert [seen.headers["user-agent"] for seen in server.seen] == [
            "client/1",
            "call/1",
            OWN,
            "client/1",
        ]
        assert {seen.headers["x-http"] for seen in server.seen} == {"1"}


def test_copies_keep_replace_or_remove_the_headers(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        for other in (
            client,
            client.with_options(timeout=9),
            copy.copy(client),
            copy.deepcopy(client),
            client.with_options(extra_headers={"X-B": "2"}),
            client.with_options(extra_headers={"X-B": "2"}).with_options(project_id="prj_1"),
            client.with_options(extra_headers={}),
            client.with_options(extra_headers=None),
            client,
        ):
            await create(other)

    headers = {"X-A": "1"}
    with ScriptedServer(always()) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url, extra_headers=headers)
    own = [{n: v for n, v in seen.headers.items() if n[:2] == "x-"} for seen in server.seen]
    a, b = {"x-a": "1"}, {"x-b": "2"}
    assert own == [a, a, a, a, b, b, {}, {}, a]
    assert server.connections == 1


@BOTH
def test_later_changes_of_the_dict_have_no_effect(cls: Clients) -> None:
    headers = {"X-A": "1"}
    client = cls(KEY, extra_headers=headers)
    headers["X-A"] = "2"
    headers["X-B"] = "3"
    assert sent(client) == [*FIXED, ("X-A", "1")]


@BOTH
def test_values_of_a_clients_headers_are_not_shown(cls: Clients) -> None:
    client = cls(KEY, extra_headers={"X-Token": "private-value"})
    for each in (client, client._settings, vars(client), client.conversations, client._engine):
        assert "private-value" not in f"{each!r} {each}"


def test_values_of_a_clients_headers_are_in_no_log_line_and_no_error(
    variant: Variant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "conversations_client")
    options: dict[str, Any] = {"extra_headers": {"X-Token": "private-value"}}
    with ScriptedServer([answer(400, {})]) as server, pytest.raises(StatusError) as raised:
        run_client(variant, create, api_key=KEY, base_url=server.url, **options)
    assert server.seen[0].headers["x-token"] == "private-value"
    shown = [str(raised.value), repr(raised.value), *(repr(vars(each)) for each in caplog.records)]
    assert len(shown) == 3
    assert "private-value" not in "".join(shown)


@BOTH
@pytest.mark.parametrize("with_key", [False, True])
def test_a_pickle_contains_the_headers(
    cls: Clients, with_key: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    client = cls(KEY, extra_headers={"X-A": "1", "user-agent": "app/1"}, pickle_key=with_key)
    again = pickle.loads(pickle.dumps(client.with_options(timeout=1)))
    assert sent(again) == sent(client)
    assert again._settings.extra_headers == (("X-A", "1"), ("user-agent", "app/1"))


@pytest.mark.parametrize("is_injected", [False, True])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_headers_are_not_sent_to_the_target_of_a_redirect(
    variant: Variant, status: int, is_injected: bool
) -> None:
    follow = run if is_injected else _run_without_injecting
    with ScriptedServer(always()) as other, ScriptedServer([redirect(other, status)]) as server:
        options: dict[str, Any] = {"base_url": server.url, "extra_headers": {"X-A": "1"}}
        with pytest.raises(StatusError) as raised:
            follow(variant, made(httpx, follow_redirects=True), create, **options)
    assert raised.value.status == status
    assert other.seen == []
    assert [seen.headers["x-a"] for seen in server.seen] == ["1"]


def redirect(target: ScriptedServer, status: int) -> bytes:
    """A redirect to the same path of another server."""
    return answer(status, {}, location=f"{target.url}/v2/conversations")


def _run_without_injecting(variant: Variant, _: object, scenario: Any, **options: Any) -> None:
    run_client(variant, scenario, api_key=KEY, **options)
