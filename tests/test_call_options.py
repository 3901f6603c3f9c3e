"""The options `timeout` and `extra_headers` on every method and on clients, in every variant."""

from functools import partial
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from many import run_many
from scripted import CONVERSATION, ScriptedServer, answer
from streaming import WHOLE, read_stream, streamed
from variants import KEY, Variant, everything

from conversations_client import (
    AsyncClient,
    Client,
    ConfigurationError,
    ConversationPage,
    DeadlineError,
    Failed,
    IdleTimeoutError,
    InvalidArgumentError,
    Retry,
    StreamTruncatedError,
    Timeout,
)
from conversations_client._calls.call_options import RESERVED_HEADERS, CallOptions
from conversations_client._calls.operation import Request
from conversations_client._calls.settings import Settings
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.requests import Requests

PAGE = answer(200, {"object": "list", "data": [CONVERSATION], "has_more": False})
GONE = answer(204, b"")
MESSAGE = {"message": "hello", "model": "a/b"}


def create(client: Any, **options: Any) -> Any:
    return client.conversations.create(**options)


def retrieve(client: Any, **options: Any) -> Any:
    return client.conversations.retrieve("conv_1", **options)


def update(client: Any, **options: Any) -> Any:
    return client.conversations.update("conv_1", display_name="a", **options)


def delete(client: Any, **options: Any) -> Any:
    return client.conversations.delete("conv_1", **options)


def generate_name(client: Any, **options: Any) -> Any:
    return client.conversations.generate_name("conv_1", context="a", **options)


def list_all(client: Any, **options: Any) -> Any:
    return everything(client.conversations.list(**options))


def respond(client: Any, **options: Any) -> Any:
    return client.conversations.responses.create("conv_1", **MESSAGE, **options)


def stream(client: Any, **options: Any) -> Any:
    return read_stream(client.conversations.responses.stream("conv_1", **MESSAGE, **options))


def request(client: Any, **options: Any) -> Any:
    return client.request("PUT", "/v2/other", returns=dict, body={}, **options)


class Raw:
    """A client whose calls return a `RawResponse`."""

    def __init__(self, client: Any) -> None:
        self.conversations = client.conversations.with_raw_response


def raw_list(client: Any, **options: Any) -> Any:
    return client.conversations.with_raw_response.list(**options)


def raw_create(client: Any, **options: Any) -> Any:
    return create(Raw(client), **options)


def raw_respond(client: Any, **options: Any) -> Any:
    return respond(Raw(client), **options)


CALLS = [
    pytest.param(create, answer(), id="create"),
    pytest.param(retrieve, answer(200), id="retrieve"),
    pytest.param(update, answer(200), id="update"),
    pytest.param(delete, GONE, id="delete"),
    pytest.param(generate_name, answer(200), id="generate_name"),
    pytest.param(list_all, PAGE, id="list"),
    pytest.param(respond, streamed(WHOLE), id="responses.create"),
    pytest.param(stream, streamed(WHOLE), id="responses.stream"),
    pytest.param(request, answer(200, {}), id="request"),
    pytest.param(raw_create, answer(), id="raw create"),
    pytest.param(raw_list, PAGE, id="raw list"),
    pytest.param(raw_respond, streamed(WHOLE), id="raw responses.create"),
]
MANY = [
    ("create_many", [{"display_name": "a"}], answer()),
    ("retrieve_many", ["conv_1"], answer(200)),
    ("delete_many", ["conv_1"], GONE),
]


@pytest.mark.parametrize(("call", "response"), CALLS)
def test_headers_are_added_to_one_call(variant: Variant, call: Any, response: bytes) -> None:
    headers = MappingProxyType({"X-Trace": "a b\t~", "x-empty": ""})
    with ScriptedServer([response, response]) as server:

        def scenario(client: Any) -> Any:
            return call(client, extra_headers=headers)

        variant.run(scenario, api_key=KEY, base_url=server.url)
        variant.run(call, api_key=KEY, base_url=server.url)
    changed, plain = (seen.headers for seen in server.seen)
    assert (changed["x-trace"], changed["x-empty"]) == ("a b\t~", "")
    assert changed["authorization"] == f"Bearer {KEY}"
    assert changed.keys() - plain.keys() == {"x-trace", "x-empty"}
    assert plain.keys() <= changed.keys()


@pytest.mark.parametrize(("call", "response"), CALLS)
def test_headers_of_a_client_are_added_to_every_call(
    variant: Variant, call: Any, response: bytes
) -> None:
    with ScriptedServer([response] * 3) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.url}
        headers = {"X-Trace": "a b", "x-empty": "", "user-agent": "app/1"}
        variant.run(call, extra_headers=headers, **options)
        variant.run(
            lambda client: call(client, extra_headers={"x-trace": "c", "User-Agent": "call/1"}),
            extra_headers=headers,
            **options,
        )
        variant.run(call, **options)
    everywhere, once, plain = (seen.headers for seen in server.seen)
    own = {"x-trace": "a b", "x-empty": "", "user-agent": "app/1"}
    assert everywhere == {**plain, **_changing(everywhere), **own}
    own |= {"x-trace": "c", "user-agent": "call/1"}
    assert once == {**plain, **_changing(once), **own}


def _changing(headers: dict[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in ("idempotency-key",) if name in headers}


@pytest.mark.parametrize(("call", "response"), CALLS)
def test_the_timeout_of_one_call_replaces_the_clients(
    variant: Variant, call: Any, response: bytes
) -> None:
    def scenario(client: Any) -> Any:
        return call(client, timeout=1e-9)

    with ScriptedServer([response]) as server:
        with pytest.raises(DeadlineError, match="longer than its timeout of 1e-09 s"):
            variant.run(scenario, api_key=KEY, base_url=server.url)
        assert server.seen == []

        def unlimited(client: Any) -> Any:
            return call(client, timeout=None)

        variant.run(unlimited, api_key=KEY, base_url=server.url, timeout=1e-9)


@pytest.mark.parametrize(("method", "items", "response"), MANY)
def test_options_of_many_calls_apply_to_each_call(
    variant: Variant, method: str, items: list[Any], response: bytes
) -> None:
    with ScriptedServer([response]) as server:
        options: dict[str, Any] = {"client": {"api_key": KEY, "base_url": server.url}}
        (late,) = run_many(variant, method, items, timeout=1e-9, **options)
        assert isinstance(late, Failed)
        assert isinstance(late.error, DeadlineError)
        options["client"]["extra_headers"] = {"X-Trace": "b", "X-Team": "c"}
        (one,) = run_many(variant, method, items, extra_headers={"x-trace": "a"}, **options)
    assert not isinstance(one, Failed)
    (seen,) = server.seen
    assert (seen.headers["x-trace"], seen.headers["x-team"]) == ("a", "c")


def test_the_idle_limit_of_a_call_applies_to_its_stream(variant: Variant) -> None:
    first, *_ = streamed(WHOLE).partition(b"part.delta")

    def scenario(client: Any) -> Any:
        return stream(client, timeout=Timeout(total=None, idle=0.5))

    with (
        ScriptedServer([[first]]) as server,
        pytest.raises(StreamTruncatedError, match="nothing was received in time"),
    ):
        variant.run(scenario, api_key=KEY, base_url=server.url, timeout=None)
    with ScriptedServer([[b"HTTP/1.1 200 OK\r\n"]]) as server, pytest.raises(IdleTimeoutError):
        variant.run(
            lambda client: retrieve(client, timeout=Timeout(idle=0.1)),
            api_key=KEY,
            base_url=server.url,
            retry=Retry(attempts=1),
        )


def test_options_apply_to_the_alternate_path_and_to_each_page(variant: Variant) -> None:
    pages = [
        answer(404, {}),
        answer(200, {"object": "list", "data": [CONVERSATION], "has_more": True}),
        answer(200, {"object": "list", "data": [], "has_more": False}),
    ]
    with ScriptedServer(pages) as server:
        variant.run(
            lambda client: list_all(client, extra_headers={"X-Trace": "a"}),
            api_key=KEY,
            base_url=server.url,
            extra_headers={"X-Team": "b"},
        )
    assert [seen.headers["x-trace"] for seen in server.seen] == ["a", "a", "a"]
    assert [seen.headers["x-team"] for seen in server.seen] == ["b", "b", "b"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"timeout": 0}, "timeout must be a conversations_client.Timeout, a positive number"),
    ({"timeout": -1.0}, "or None for no limit, got -1.0."),
    ({"timeout": float("nan")}, "timeout must be"),
    ({"timeout": "5"}, "or None for no limit, not str."),
    ({"timeout": True}, "or None for no limit, not bool."),
]
BAD_HEADERS: list[tuple[dict[str, Any], str]] = [
    ({"extra_headers": [("a", "b")]}, "must be a dict of names and values, not list"),
    ({"extra_headers": {"": "a"}}, "invalid name"),
    ({"extra_headers": {"X Trace": "a"}}, "invalid name"),
    ({"extra_headers": {"X:": "a"}}, "invalid name"),
    ({"extra_headers": {"X\n": "a"}}, "invalid name"),
    ({"extra_headers": {"É": "a"}}, "invalid name"),
    ({"extra_headers": {b"X": "a"}}, "invalid name"),
    ({"extra_headers": {"X": b"secret"}}, "X must be a string, not bytes"),
    ({"extra_headers": {"X": None}}, "X must be a string, not NoneType"),
    ({"extra_headers": {"User-Agent": None}}, "User-Agent must be a string, not NoneType"),
    ({"extra_headers": {"User-Agent": "secret\n"}}, "User-Agent must be printable ASCII"),
    ({"extra_headers": {"X": "secret\r\nHost: a"}}, "X must be printable ASCII"),
    ({"extra_headers": {"X": "secret\n"}}, "X must be printable ASCII"),
    ({"extra_headers": {"X": " secret"}}, "X must be printable ASCII"),
    ({"extra_headers": {"X": "secret\t"}}, "X must be printable ASCII"),
    ({"extra_headers": {"X": "secret\x00"}}, "X must be printable ASCII"),
    ({"extra_headers": {"X": "é secret"}}, "X must be printable ASCII"),
    ({"extra_headers": {"X-A": "a", "x-a": "b"}}, "has x-a twice"),
    ({"extra_headers": {"Authorization": "secret"}}, r"Authorization.*with_options\(api_key=…\)"),
    ({"extra_headers": {"idempotency-key": "secret"}}, "idempotency-key.*use idempotency_key=…"),
    ({"extra_headers": {"HOST": "secret"}}, "can't set HOST, which the client sets: omit it"),
    ({"extra_headers": {"Content-Length": "0"}}, "can't set Content-Length"),
    ({"extra_headers": {"Transfer-Encoding": "chunked"}}, "can't set Transfer-Encoding"),
]


@pytest.mark.parametrize(("options", "message"), BAD + BAD_HEADERS)
def test_invalid_options_are_rejected_before_anything_is_sent(
    variant: Variant, options: dict[str, Any], message: str
) -> None:
    with ScriptedServer([]) as server:
        for call in (create, list_all, stream, request, raw_list):
            with pytest.raises(InvalidArgumentError, match=message) as caught:
                variant.run(
                    lambda client, call=call: call(client, **options),  # type: ignore[misc]
                    api_key=KEY,
                    base_url=server.url,
                )
            assert "secret" not in str(caught.value)
    assert server.seen == []


@pytest.mark.parametrize("cls", [Client, AsyncClient])
@pytest.mark.parametrize(("method", "items", "_"), MANY)
def test_invalid_options_of_many_calls_are_rejected_immediately(
    cls: type, method: str, items: list[Any], _: bytes
) -> None:
    with pytest.raises(InvalidArgumentError, match="can't set host"):
        getattr(cls(KEY).conversations, method)(items, extra_headers={"host": "a"})


@pytest.mark.parametrize("cls", [Client, AsyncClient])
@pytest.mark.parametrize(("options", "message"), BAD_HEADERS)
def test_invalid_headers_of_a_client_are_rejected_like_those_of_a_call(
    cls: type[Client | AsyncClient], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgumentError) as of_a_call:
        Client(KEY).conversations.create(**options)
    for create_client in (partial(cls, KEY), cls(KEY).with_options):
        with pytest.raises(ConfigurationError, match=message) as raised:
            create_client(**options)
        assert type(raised.value) is ConfigurationError
        assert str(raised.value) == str(of_a_call.value)
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(RESERVED_HEADERS))
def test_a_reserved_header_is_rejected_in_any_case(name: str) -> None:
    for each in (name, name.title(), name.upper()):
        with pytest.raises(ConfigurationError, match=f"can't set {each}, which the client sets"):
            Client(KEY, extra_headers={each: "a"})
        with pytest.raises(InvalidArgumentError, match=f"can't set {each}, which"):
            Client(KEY).conversations.create(extra_headers={each: "a"})


def test_every_header_that_the_client_sends_is_reserved_except_its_user_agent() -> None:
    settings = Client(KEY)._settings
    assert isinstance(settings, Settings)
    limits = RequestLimits(connect=None, idle=None, deadline=0.0, clock=lambda: 0.0)
    for body, streams in ((None, False), (b"{}", False), (b"{}", True)):
        request = Request(method="POST", template="/", path="/", body=body, streams=streams)
        sent = Requests(settings).make(request, idempotency_key="k", limits=limits).headers
        assert {name.decode().lower() for name, _ in sent} <= RESERVED_HEADERS | {"user-agent"}
    assert "user-agent" not in RESERVED_HEADERS


def test_values_of_headers_are_not_shown() -> None:
    request = Request(method="GET", template="/", path="/", extra_headers=(("X-Token", "secret"),))
    assert "secret" not in repr(request)
    assert "secret" not in repr(CallOptions(headers=(("X-Token", "secret"),)))
    assert attrs.evolve(request).extra_headers == (("X-Token", "secret"),)


def test_a_raw_listing_is_a_page(variant: Variant) -> None:
    with ScriptedServer([PAGE]) as server:
        found = variant.run(
            lambda client: raw_list(client, timeout=5), api_key=KEY, base_url=server.url
        )
    assert isinstance(found.parsed, ConversationPage)
