"""The settings of a client, and arguments that it rejects."""

import copy
import math
import pickle
import ssl
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from typing import Any, cast

import anyio
import httpx
import pytest
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import (
    UNSET,
    AsyncClient,
    AsyncHooks,
    Client,
    ClientClosedError,
    ConfigurationError,
    ConversationMetadata,
    ConversationsError,
    Delivery,
    Hooks,
    InvalidArgumentError,
    Retry,
    Timeout,
    __version__,
    errors,
)
from conversations_client._base.secret import Secret
from conversations_client._http.transport import AsyncConnections

CONTEXT = ssl.create_default_context()

Clients = type[Client] | type[AsyncClient]


@pytest.fixture(params=[Client, AsyncClient])
def cls(request: pytest.FixtureRequest) -> Clients:
    found: Clients = request.param
    return found


def test_arguments_take_precedence_over_the_environment_and_defaults(
    cls: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cls("k").base_url == "https://my.orq.ai"
    assert cls("k").project_id is None
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    monkeypatch.setenv("ORQ_BASE_URL", "https://orq.example/api/")
    monkeypatch.setenv("ORQ_PROJECT_ID", "prj_1")
    client = cls()
    assert (client.base_url, client.project_id) == ("https://orq.example/api", "prj_1")
    assert repr(client) == (
        f"{cls.__name__}(base_url='https://orq.example/api', project_id='prj_1', "
        "timeout=Timeout(total=UNSET, connect=5.0, idle=30.0))"
    )
    other = cls("other", base_url="http://localhost:1", project_id="prj_2")
    assert (other.base_url, other.project_id) == ("http://localhost:1", "prj_2")
    monkeypatch.setenv("ORQ_BASE_URL", "")
    assert cls().base_url == "https://my.orq.ai"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_key": ""}, "ORQ_API_KEY"),
        ({"api_key": None}, "No API key: pass api_key"),
        ({"api_key": b"k"}, "must be a string, not bytes"),
        ({"api_key": "k\n"}, "strip"),
        ({"api_key": "k é"}, "copy it again"),
        ({"api_key": '"key"'}, "begins or ends with a quotation mark: remove the quotation marks."),
        ({"api_key": "'key'"}, "quotation mark"),
        ({"api_key": '"key'}, "quotation mark"),
        ({"api_key": "key'"}, "quotation mark"),
        ({"api_key": "`key`"}, "quotation mark"),
        ({"api_key": '"Bearer key"'}, "quotation mark"),
        ({"api_key": '""'}, "quotation mark"),
        ({"base_url": '"https://my.orq.ai"'}, "base_url begins or ends with a quotation mark"),
        ({"base_url": "'https://my.orq.ai/'"}, "quotation mark"),
        ({"base_url": "https://my.orq.ai'"}, "quotation mark"),
        ({"base_url": ""}, "base_url is empty"),
        ({"base_url": 1}, "must be a string"),
        ({"base_url": "my.orq.ai"}, "needs a scheme"),
        ({"base_url": "ftp://my.orq.ai"}, "needs a scheme"),
        ({"base_url": "https://"}, "needs a scheme"),
        ({"base_url": "a:b@my.orq.ai"}, "doesn't begin with https://"),
        ({"base_url": "https://a:b@my.orq.ai"}, "user or password"),
        ({"base_url": "https://my.orq.ai?x=1"}, "no query"),
        ({"base_url": "https://my.orq.ai#x"}, "no fragment"),
        ({"base_url": "https://my.orq.ai/a b"}, "contains a space"),
        ({"base_url": " https://my.orq.ai"}, "contains a space"),
        ({"base_url": "https://my.orq.ai\\@x"}, "a backslash"),
        ({"base_url": "https://bücher.example"}, "xn-- form"),
        ({"base_url": "https://my.orq.ai:port"}, "has an invalid port"),
        ({"base_url": "https://my.orq.ai:65536"}, "has an invalid port"),
        ({"base_url": "https://my.orq.ai:0"}, "use 1 to 65535"),
        ({"base_url": "https://my.orq.ai:00"}, "use 1 to 65535"),
        ({"base_url": "http://[::1]:0"}, "use 1 to 65535"),
        ({"base_url": "https://my.orq.ai:"}, "invalid port"),
        ({"base_url": "https://[::1"}, "is not a URL"),
        ({"base_url": "https://[fe80::1%eth0]"}, "without a zone"),
        ({"base_url": "https://[fe80::1%25eth0]"}, "without a zone"),
        ({"base_url": "https://[1.2.3.4]"}, "is not a URL"),
        ({"base_url": "https://a..b"}, "invalid host"),
        ({"base_url": "https://a.."}, "invalid host"),
        ({"base_url": "https://.a"}, "invalid host"),
        ({"base_url": f"https://{'a.' * 127}"}, "invalid host"),
        ({"base_url": "http://127.1"}, "a full IPv4 address"),
        ({"base_url": "http://2130706433"}, "a full IPv4 address"),
        ({"base_url": "http://0x7f.1"}, "a full IPv4 address"),
        ({"base_url": "https://my.orq.ai/a/../b"}, "'..' in its path"),
        ({"base_url": "https://my.orq.ai/v2"}, "client adds: remove it."),
        ({"base_url": "https://my.orq.ai/V2/"}, "client adds: remove it."),
        ({"base_url": "https://my.orq.ai/api/v2//"}, "client adds: remove it."),
        ({"base_url": "https://my.orq.ai/v2/conversations"}, "client adds: remove it."),
        ({"base_url": "http://my.orq.ai"}, "allow_plain_http=True"),
        ({"base_url": "http://10.0.0.1"}, "unencrypted"),
        ({"project_id": " "}, "project_id"),
        ({"project_id": 1}, "project_id"),
        ({"project_id": '"prj_1"'}, "a space or a quotation mark"),
        ({"project_id": "prj_1'"}, "a space or a quotation mark"),
        ({"retry": 3}, "must be a Retry, such as Retry(attempts=1) to disable retries, not int."),
        ({"max_connections": 0}, "max_connections"),
        ({"max_response_bytes": 1.5}, "max_response_bytes"),
        ({"allow_plain_http": "yes"}, "True or False"),
        ({"http_client": object()}, "must be an httpx."),
    ],
)
def test_unusable_settings_are_rejected(cls: Clients, options: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"api_key": KEY, **options}
    with pytest.raises(ConfigurationError) as raised:
        cls(**given)
    assert words in str(raised.value)
    assert raised.value.delivery is Delivery.UNSENT
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://LOCALHOST.",
        "http://a.localhost:1",
        "http://127.9.9.9",
        "http://[::1]:80",
        "http://[::ffff:127.0.0.1]",
    ],
)
def test_plain_http_to_loopback_is_allowed(cls: Clients, url: str) -> None:
    assert cls(KEY, base_url=url).base_url == url
    assert cls(KEY, base_url="http://10.0.0.1", allow_plain_http=True).base_url == "http://10.0.0.1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"display_name": None}, "display_name can't be None: omit it"),
        ({"display_name": "x" * 101}, "has 101 characters"),
        ({"display_name": "\ud800"}, "surrogate"),
        ({"metadata": None}, "metadata can't be None: omit it"),
        ({"metadata": {"entityId": "a"}}, "unknown key 'entityId'; did you mean 'entity_id'?"),
        ({"metadata": {"color": "a"}}, "use generating_title, entity_id, model."),
        ({"metadata": {"entity_id": ""}}, "entity_id is empty"),
        ({"metadata": {"model": 1}}, "model must be a string"),
        ({"metadata": {"generating_title": None}}, "can't be null"),
        ({"metadata": {"generating_title": 1}}, "must be True or False, not int"),
        ({"project_id": ""}, "project_id is empty"),
        ({"idempotency_key": ""}, "1 to 255 visible"),
        ({"idempotency_key": "a b"}, "1 to 255 visible"),
        ({"idempotency_key": 1}, "must be a string"),
    ],
)
def test_unusable_arguments_are_rejected_before_anything_is_sent(
    variant: Variant, arguments: dict[str, Any], words: str
) -> None:
    with ScriptedServer([]) as server, pytest.raises(InvalidArgumentError) as raised:
        variant.run(
            lambda client: client.conversations.create(**arguments),
            api_key=KEY,
            base_url=server.url,
        )
    assert words in str(raised.value)
    assert server.connections == 0
    assert isinstance(raised.value, ValueError)


def test_values_that_json_cannot_represent_are_rejected() -> None:
    with Client(KEY) as client, pytest.raises(InvalidArgumentError, match="serialized as JSON"):
        client.conversations.create(metadata=ConversationMetadata(extra={"x": math.nan}))


WRONG_TIMEOUTS: list[tuple[Any, str]] = [
    (0, "got 0."),
    (-1.5, "got -1.5."),
    (math.inf, "got inf."),
    (math.nan, "got nan."),
    (2_592_001, "got 2592001."),
    (True, "not bool."),
    ("5", "not str."),
    (timedelta(seconds=5), "not datetime.timedelta."),
    (httpx.Timeout(5), "not httpx.Timeout."),
]


@pytest.mark.parametrize(("wrong", "problem"), WRONG_TIMEOUTS)
def test_a_wrong_timeout_has_the_same_message_everywhere(
    variant: Variant, wrong: Any, problem: str
) -> None:
    message = (
        "timeout must be a conversations_client.Timeout, a positive number of seconds, at most "
        f"2592000, or None for no limit, {problem}"
    )
    calls: list[Callable[[Any], Any]] = [
        lambda client: client.with_options(timeout=wrong),
        lambda client: type(client)(KEY, timeout=wrong),
        lambda client: client.conversations.create(timeout=wrong),
        lambda client: client.request("GET", "/v2/x", returns=dict, timeout=wrong),
    ]
    for call in calls:
        with pytest.raises(ConversationsError) as raised:
            variant.run(call, api_key=KEY, base_url="http://127.0.0.1:9")
        assert str(raised.value) == message
        assert isinstance(raised.value, ConfigurationError | InvalidArgumentError)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("api_key", "needs a key: omit api_key to keep the client's key"),
        ("retry", r"must be a Retry, such as Retry\(attempts=1\) to disable retries, not NoneType"),
        ("max_response_bytes", "must be a whole number, 1 or more, got None"),
        ("max_event_bytes", "must be a whole number, 1 or more, got None"),
    ],
)
def test_with_options_rejects_none_for_what_every_client_has(
    cls: Clients, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", "of-the-environment")
    client: Any = cls(KEY)
    with pytest.raises(ConfigurationError, match=words):
        client.with_options(**{name: None})
    assert client.with_options(**{name: UNSET})._settings == client._settings


def test_the_key_of_a_copy_does_not_come_from_the_environment(
    cls: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", "of-the-environment")
    with pytest.raises(ConfigurationError, match="needs a key"):
        cls(KEY).with_options(api_key="")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ORQ_API_KEY", "ORQ_API_KEY environment variable"),
        ("ORQ_BASE_URL", "The ORQ_BASE_URL environment variable is invalid: base_url begins or"),
        ("ORQ_PROJECT_ID", "ORQ_PROJECT_ID environment variable"),
    ],
)
def test_a_variable_in_quotation_marks_is_rejected(
    cls: Clients, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    monkeypatch.setenv(name, '"https://my.orq.ai"')
    with pytest.raises(ConfigurationError, match=words) as raised:
        cls()
    assert "quotation mark" in str(raised.value)


def test_with_options_changes_a_copy(cls: Clients) -> None:
    client = cls(KEY, project_id="prj_1", timeout=5)
    same = client.with_options()
    assert (same.project_id, same.timeout, same.retry) == ("prj_1", Timeout(total=5), Retry())
    changed = client.with_options(
        api_key="other",
        project_id=None,
        timeout=None,
        retry=Retry(attempts=1),
        max_response_bytes=1,
    )
    assert (changed.project_id, changed.timeout.total, changed.retry.attempts) == (None, None, 1)
    assert (client.project_id, client.timeout.total, client.retry.attempts) == ("prj_1", 5, 3)
    for wrong in ({"api_key": " "}, {"timeout": -1}, {"retry": 1}, {"max_response_bytes": 0}):
        given: dict[str, Any] = wrong
        with pytest.raises(ConfigurationError):
            client.with_options(**given)


def test_copies_share_connections_and_only_the_owner_closes() -> None:
    with ScriptedServer([answer()] * 3) as server:
        with Client(KEY, base_url=server.url) as client:
            with client.with_options(timeout=9) as copy_of:
                copy_of.conversations.create()
            client.conversations.create()
            copy_of.conversations.create()
        for closed in (client, copy_of):
            with pytest.raises(ClientClosedError, match="Create a new client"):
                closed.conversations.create()
        client.close()
    assert server.connections == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_copies_share_connections_and_only_the_owner_closes(backend: str) -> None:
    async def main(url: str) -> None:
        async with AsyncClient(KEY, base_url=url) as client:
            async with client.with_options(timeout=9) as copy_of:
                await copy_of.conversations.create()
            await client.conversations.create()
        for closed in (client, copy_of):
            with pytest.raises(ClientClosedError):
                await closed.conversations.create()
        await client.aclose()

    with ScriptedServer([answer()] * 2) as server:
        anyio.run(main, server.url, backend=backend)
    assert server.connections == 1


def test_one_async_client_over_several_event_loops() -> None:
    with ScriptedServer([answer()] * 2) as server:
        client = AsyncClient(KEY, base_url=server.url)

        async def main() -> None:
            await client.conversations.create()
            connections = client._connections
            assert isinstance(connections, AsyncConnections)
            await connections._pool().aclose()

        anyio.run(main, backend="asyncio")
        anyio.run(main, backend="asyncio")
    assert len(server.seen) == 2


def test_the_key_is_not_displayed() -> None:
    client = Client(KEY)
    assert KEY not in repr(client._settings) + repr(vars(client))
    assert Secret(KEY) == Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY)}) == 1
    assert Secret(KEY).redact(f"a {KEY} b") == "a [redacted] b"


ERRORS: list[ConversationsError] = [
    cls("words")
    for cls in vars(errors).values()
    if isinstance(cls, type)
    and issubclass(cls, ConversationsError)
    and not issubclass(cls, errors.StatusError | errors.DecodeError)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickling_and_copying(error: ConversationsError) -> None:
    error.request_id = "req_1"
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), again.args) == ("words", ("words",))
        assert (again.delivery, again.attempts, again.request_id) == ("unsent", 0, "req_1")


def test_errors_with_a_response_survive_pickling(variant: Variant) -> None:
    for reply in (answer(429, {"message": "m"}), answer(body={})):
        with ScriptedServer([reply]) as server, pytest.raises(ConversationsError) as raised:
            variant.run(
                lambda client: client.conversations.create(),
                api_key=KEY,
                base_url=server.url,
                retry=Retry(attempts=1),
            )
        again = pickle.loads(pickle.dumps(raised.value))
        assert type(again) is type(raised.value)
        assert str(again) == str(raised.value)
        assert set(vars(again)) == set(vars(raised.value))


def test_the_version_is_the_distributions() -> None:
    assert version("conversations-client") == __version__


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Hooks(on_retry=cast("Any", 3)), "Hooks.on_retry must be a function"),
        (lambda: Hooks(on_request=cast("Any", anyio.sleep)), "that is not async"),
        (lambda: AsyncHooks(on_response=cast("Any", "x")), "AsyncHooks.on_response must be"),
        (lambda: Client(KEY, hooks=cast("Any", print)), "hooks must be Hooks"),
        (lambda: Client(KEY).with_options(hooks=cast("Any", AsyncHooks())), "not AsyncHooks"),
        (lambda: AsyncClient(KEY, hooks=cast("Any", Hooks())), "hooks must be AsyncHooks"),
        (lambda: Client(KEY, ssl_context=cast("Any", True)), "ssl.SSLContext, not bool"),
        (lambda: AsyncClient(KEY, ssl_context=cast("Any", False)), "ssl.SSLContext, not bool"),
        (
            lambda: Client(KEY, http_client=httpx.Client(), ssl_context=CONTEXT),
            "ssl_context has no effect on an http_client: pass it to your HTTP client instead",
        ),
        (
            lambda: AsyncClient(KEY, http_client=httpx.AsyncClient(), ssl_context=CONTEXT),
            "ssl_context has no effect on an http_client",
        ),
    ],
)
def test_unusable_hooks_and_contexts_are_rejected(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make()
