"""Untrusted input from arguments, the environment and responses is harmless."""

from collections.abc import Callable, Iterator
from functools import partial
from types import NoneType
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from faulty import FaultyServer, endless, receive
from hypothesis import given
from hypothesis import strategies as st
from scripted import CONVERSATION, ReceivedRequest, ScriptedServer, always, answer
from streaming import STARTED, chunk, head, played, word
from variants import KEY, Variant

from conversations_client import (
    AsyncClient,
    Client,
    ConfigurationError,
    DecodeError,
    InvalidArgumentError,
    PartDelta,
    ReasoningPart,
    ResponseStarted,
    Retry,
    StreamTruncatedError,
    TextPart,
    Timeout,
)
from conversations_client._calls.settings import checked_api_key
from conversations_client._http.requests import Requests
from conversations_client._sse.accumulator import ResponseAccumulator, joined

Clients = type[Client] | type[AsyncClient]

# Arguments.

HOSTILE = [
    "x\r\nX-Injected: 1",
    "x\r\n\r\nGET /elsewhere HTTP/1.1\r\n\r\n",
    "x\nx",
    "x\0x",
    "../../admin",
    "..%2f..%2fadmin",
    "//elsewhere.example/",
    "https://elsewhere.example/",
    "@elsewhere.example",
    "x?admin=1",
    "x#x",
    "x&limit=1",
    "x\\y",
    "x;y",
    'x"y',
    "\u2028\u0085\u202e",
    "\U0001f600",
    " x ",
]


class Once:
    """A server that gets one request per call."""

    def __init__(self, server: ScriptedServer, client: Client) -> None:
        self.client = client
        self._server = server

    def request(self, call: Callable[[Client], Any]) -> ReceivedRequest:
        """The single request of a call."""
        before = len(self._server.seen)
        call(self.client)
        (seen,) = self._server.seen[before:]
        assert not {"x-injected", "cookie"} & set(seen.headers)
        assert seen.headers["host"] == self._server.url.removeprefix("http://")
        return seen


@pytest.fixture(scope="module")
def once() -> Iterator[Once]:
    listing: dict[str, Any] = {**CONVERSATION, "object": "list", "data": [], "has_more": False}
    script = (answer(200, listing) for _ in always())
    with ScriptedServer(script) as server, Client(KEY, base_url=server.url) as client:
        yield Once(server, client)


def deleted(conversation_id: str) -> Callable[[Client], Any]:
    def delete(client: Client) -> None:
        with pytest.raises(DecodeError):  # the server sends a body
            client.conversations.delete(conversation_id)

    return delete


@pytest.mark.parametrize("hostile", HOSTILE)
def test_an_id_is_exactly_one_path_segment(once: Once, hostile: str) -> None:
    calls: list[tuple[Callable[[Client], Any], str]] = [
        (lambda client: client.conversations.retrieve(hostile), ""),
        (deleted(hostile), ""),
        (lambda client: client.conversations.update(hostile, display_name="x"), ""),
        (lambda client: client.conversations.generate_name(hostile, context="x"), "/generate-name"),
    ]
    for call, below in calls:
        path = once.request(call).target
        assert path.startswith("/v2/conversations/")
        segment = path.removeprefix("/v2/conversations/").removesuffix(below)
        assert "/" not in segment
        assert unquote(segment) == hostile


def listed(arguments: dict[str, Any], client: Client) -> list[Any]:
    return list(client.conversations.list(**arguments))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_query_parameter_is_exactly_one_value(once: Once, hostile: str) -> None:
    for name, wire in (
        ("starting_after", "startingAfter"),
        ("ending_before", "endingBefore"),
        ("entity_id", "entityId"),
    ):
        arguments: dict[str, Any] = {name: hostile}
        seen = once.request(partial(listed, arguments))
        assert urlsplit(seen.target).path == "/v2/conversations/"
        assert parse_qsl(urlsplit(seen.target).query) == [(wire, hostile)]
    seen = once.request(
        lambda client: client.request("GET", "/v2/x", returns=object, query={hostile: hostile})
    )
    assert parse_qsl(urlsplit(seen.target).query) == [(hostile, hostile)]


@pytest.mark.parametrize(
    "hostile", [text for text in HOSTILE if not text.isascii() or set(text) & set("\r\n\0 ")]
)
def test_invalid_headers_are_not_sent(hostile: str) -> None:
    with ScriptedServer([]) as server, Client(KEY, base_url=server.url) as client:
        for call in (
            lambda: client.conversations.create(idempotency_key=hostile),
            lambda: client.conversations.generate_name("c", context="x", idempotency_key=hostile),
            lambda: client.conversations.responses.create(
                "c", message="x", model="a/b", idempotency_key=hostile
            ),
            lambda: client.request("POST", "/x", returns=NoneType, idempotency_key=hostile),
            lambda: client.request(hostile, "/x", returns=NoneType),
            lambda: client.request("GET", f"/{hostile}", returns=NoneType),
        ):
            with pytest.raises(InvalidArgumentError):
                call()
        with pytest.raises(ConfigurationError):
            client.with_options(api_key=hostile)
    assert server.connections == 0


@given(st.text())
def test_no_text_escapes_its_path_segment(once: Once, text: str) -> None:
    try:
        seen = once.request(lambda client: client.conversations.retrieve(text))
    except InvalidArgumentError:
        return
    assert unquote(seen.target.removeprefix("/v2/conversations/")) == text


def test_an_invalid_url_is_an_invalid_argument(variant: Variant) -> None:
    with ScriptedServer([]) as server, pytest.raises(InvalidArgumentError, match="shorten"):
        variant.run(
            lambda client: client.conversations.retrieve("x" * 10**5),
            api_key=KEY,
            base_url=server.url,
        )
    assert server.connections == 0


# Settings.


@pytest.fixture(params=[Client, AsyncClient])
def cls(request: pytest.FixtureRequest) -> Clients:
    found: Clients = request.param
    return found


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ORQ_API_KEY", "key\n", "line break"),
        ("ORQ_API_KEY", "key\r\nX-Injected: 1", "line break"),
        ("ORQ_API_KEY", " ", "line break"),
        ("ORQ_BASE_URL", "https://my.orq.ai\n", "control character"),
        ("ORQ_BASE_URL", "https://my.orq.ai\r\n@elsewhere", "control character"),
        ("ORQ_BASE_URL", "https://user:word@my.orq.ai", "user or password"),
        ("ORQ_PROJECT_ID", "prj_1\n", "line break"),
        ("ORQ_PROJECT_ID", "prj\r\n_1", "line break"),
        ("ORQ_PROJECT_ID", "\n", "project_id must be"),
    ],
)
def test_an_environment_with_line_breaks(
    cls: Clients, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words) as raised:
        cls()
    assert "word@" not in str(raised.value)


def test_a_proxy_with_a_line_break(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1\nX-Injected: 1")
    with pytest.raises(ConfigurationError, match="proxy"):
        variant.run(lambda client: client.conversations.create(), api_key=KEY)


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example[::1]",  # Python's parser uses the text in brackets as the host
        "http://[::1]elsewhere.example",
        "http://[::1].elsewhere.example",
        "https://[v1.x]",
        "https://[zz::1]",
        "https://[127.0.0.1]",
        "https://host%2felsewhere",
        "https://host<x>",
        "https://host:80:80",
        "https://host:-1",
        "https://" + "x" * 3000,
    ],
)
def test_a_base_url_with_an_invalid_host(cls: Clients, url: str) -> None:
    with pytest.raises(ConfigurationError):
        cls(KEY, base_url=url)


def test_an_address_with_too_many_numbers(variant: Variant) -> None:
    with pytest.raises(ConfigurationError, match="a full IPv4 address"):
        variant.run(
            lambda client: client.conversations.create(), api_key=KEY, base_url="https://1.2.3.456"
        )


LETTERS = ["localhost", "127.0.0.1", "[::1]", "a.example", "xn--", "80", *"@:%\\/.[]?#-_'<\t\né"]
URLS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["http://", "https://", "HTTP://"]),
        st.lists(
            st.sampled_from(LETTERS),
            max_size=6,
        ).map("".join),
    ),
)


@given(URLS)
def test_the_checked_host_is_the_host_that_is_called(url: str) -> None:
    try:
        client = Client(KEY, base_url=url)
        Requests(client._settings)
    except ConfigurationError:
        return
    checked, called = urlsplit(client.base_url), httpx.URL(client.base_url)
    assert called.raw_host.decode().strip("[]") == checked.hostname
    assert called.raw_scheme.decode() == checked.scheme
    assert (called.userinfo, called.query, called.fragment) == (b"", b"", "")


@pytest.mark.parametrize("seconds", [1e10, 10**400, 30 * 24 * 60 * 60 + 1])
def test_no_timeout_exceeds_the_range_of_timers(seconds: float) -> None:
    for setting in (
        lambda: Timeout(total=seconds),
        lambda: Timeout(connect=seconds),
        lambda: Timeout(idle=seconds),
        lambda: Retry(wait_max=seconds),
        lambda: Retry(retry_after_max=seconds),
    ):
        with pytest.raises(ConfigurationError, match="2592000"):
            setting()


INTEGERS: list[Callable[[int], object]] = [
    lambda digits: Client(KEY, timeout=digits),
    lambda digits: Client(KEY, max_connections=-digits),
    lambda digits: Timeout(total=digits),
    lambda digits: Retry(attempts=-digits),
]


@pytest.mark.parametrize("setting", INTEGERS)
def test_a_number_with_too_many_digits_is_rejected(setting: Callable[[int], object]) -> None:
    with pytest.raises(ConfigurationError, match=", got an int with too many digits"):
        setting(10**5_000)


def test_the_longest_timeout_works(variant: Variant) -> None:
    longest = 30 * 24 * 60 * 60
    timeout = Timeout(total=longest, connect=longest, idle=longest)
    with ScriptedServer([answer()]) as server:
        variant.run(
            lambda client: client.conversations.create(),
            api_key=KEY,
            base_url=server.url,
            timeout=timeout,
        )


def test_a_key_with_any_characters_is_printable() -> None:
    for code in [*range(33), 127, *range(128, 256), 0x2028, 0xD800]:
        with pytest.raises(ConfigurationError):
            checked_api_key(f"key{chr(code)}", {})


# Responses.


def test_a_stream_is_not_stored_beyond_the_limit(variant: Variant) -> None:
    seen: list[Any] = []

    async def scenario(client: Any) -> None:
        async with client.conversations.responses.stream("c", message="x", model="a/b") as events:
            while len(seen) < 100:
                seen.append(await anext(events))

    one = word("x" * 100)
    with (
        FaultyServer([receive, head(), chunk(STARTED), endless(chunk(one))]) as server,
        pytest.raises(StreamTruncatedError, match="max_response_bytes=1000") as raised,
    ):
        variant.run(
            lambda client: played(client, scenario),
            api_key=KEY,
            base_url=server.url,
            max_response_bytes=1000,
        )
    fits = 1000 // (len(one) - len("data: \n\n"))
    assert isinstance(seen[0], ResponseStarted)
    assert len(seen) == 1 + fits
    assert raised.value.partial.text == "x" * 100 * fits


def test_data_that_is_not_stored_has_no_limit(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        async with client.conversations.responses.stream("c", message="x", model="a/b") as events:
            return [await anext(events) for _ in range(100)]

    with FaultyServer([receive, head(), endless(chunk(STARTED))]) as server:
        events = variant.run(
            lambda client: played(client, scenario),
            api_key=KEY,
            base_url=server.url,
            max_response_bytes=1000,
        )
    assert len(events) == 100


def test_any_number_of_deltas_is_joined_in_the_same_way() -> None:
    deltas = [
        TextPart(
            text=f"{number} ",
            id="text_1" if number == 5 else None,
            metadata={"n": number} if number % 700 == 0 else None,
        )
        for number in range(5000)
    ]
    collected = ResponseAccumulator()
    for delta in deltas:
        collected.add(PartDelta(timestamp="", part_id="text_1", delta=delta))
    assert collected.partial().parts == (joined(list(deltas)),)
    kept: Any = next(iter(collected._parts.values()))
    assert len(kept._runs) + len(kept._latest) < 1030


def test_a_delta_of_another_kind_supersedes_runs_too() -> None:
    collected = ResponseAccumulator()
    for number in range(3000):
        collected.add(PartDelta(timestamp="", part_id="p", delta=TextPart(text=f"{number}")))
    collected.add(PartDelta(timestamp="", part_id="p", delta=ReasoningPart(reasoning="hm")))
    collected.add(PartDelta(timestamp="", part_id="p", delta=TextPart(text="end")))
    assert collected.partial().parts == (TextPart(text="end"),)
