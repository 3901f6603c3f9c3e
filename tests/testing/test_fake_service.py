"""The fake service: responses, errors and recorded calls."""

import gzip
import inspect
import re
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, cast
from unittest.mock import ANY

import anyio
import pytest
from scripted import ScriptedServer, answer
from streaming import played
from variants import Variant, everything

from conversations_client import (
    UNSET,
    AsyncClient,
    AsyncHooks,
    Client,
    ConnectError,
    ConversationMetadata,
    ConversationsError,
    DeadlineError,
    Delivery,
    DisconnectError,
    Event,
    FilePart,
    Hooks,
    IdleTimeoutError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    ResponseFailedError,
    ResponseTooLargeError,
    Retry,
    StatusError,
    StreamError,
    StreamTruncatedError,
    TextPart,
    TransportError,
    UserMessage,
)
from conversations_client.sandbox import Sandbox
from conversations_client.testing import (
    CreateCall,
    CreateResponseCall,
    DeleteCall,
    FakeService,
    GenerateNameCall,
    ListCall,
    RequestCall,
    RetrieveCall,
    UpdateCall,
    factories,
)

METADATA: list[dict[str, Any]] = [
    {"entity_id": "e"},
    {"entity_id": None},
    {"generating_title": True, "entity_id": UNSET},
]


@pytest.mark.parametrize("metadata", [*METADATA, {}, {"model": None}, {"model": "a/b"}])
def test_a_create_call_equals_the_call_with_the_same_dict(metadata: Any) -> None:
    fake = FakeService()
    fake.answer(factories.conversation())
    fake.client().conversations.create(metadata=metadata)
    assert fake.calls == (CreateCall(metadata=metadata),)
    assert fake.calls != (CreateCall(),)


@pytest.mark.parametrize("metadata", METADATA)
def test_an_update_call_equals_the_call_with_the_same_dict(metadata: Any) -> None:
    fake = FakeService()
    fake.answer(factories.conversation())
    fake.client().conversations.update("conv_1", metadata=metadata)
    assert fake.calls == (UpdateCall(conversation_id="conv_1", metadata=metadata),)


def test_null_in_metadata_differs_from_an_omitted_field(fake: FakeService) -> None:
    fake.answer(factories.conversation())
    fake.client().conversations.create(metadata=ConversationMetadata(entity_id=None))
    assert fake.calls == (CreateCall(metadata=ConversationMetadata()),)
    assert fake.calls != (CreateCall(metadata={"entity_id": None}),)


@pytest.mark.parametrize(
    "metadata", [{"entityId": "e"}, {"entity_id": 1}, {"generating_title": None}]
)
def test_recorded_calls_reject_the_metadata_that_the_client_rejects(metadata: Any) -> None:
    client = FakeService().client()
    with pytest.raises(InvalidArgumentError) as expected:
        client.conversations.create(metadata=metadata)
    for call_class in (CreateCall, partial(UpdateCall, conversation_id="conv_1")):
        with pytest.raises(InvalidArgumentError) as raised:
            call_class(metadata=metadata)
        assert str(raised.value) == str(expected.value)
    with pytest.raises(InvalidArgumentError, match="model can't be changed"):
        UpdateCall(conversation_id="c", metadata=cast("Any", {"model": "a/b"}))


def test_calls_can_be_compared_with_any_metadata(fake: FakeService) -> None:
    fake.answer(factories.conversation())
    fake.client().conversations.create(metadata={"entity_id": "e"})
    assert fake.calls == (CreateCall(metadata=ANY),)


@pytest.fixture
def fake() -> FakeService:
    return FakeService()


def run(variant: Variant, fake: FakeService, scenario: Any, **settings: Any) -> Any:
    async def main() -> Any:
        async with fake.async_client(**settings) as client:
            assert isinstance(client, AsyncClient)
            result = scenario(client)
            return await result if inspect.isawaitable(result) else result

    if variant.name != "sync":
        return anyio.run(main, backend=variant.name)
    with fake.client(**settings) as client:
        assert isinstance(client, Client)
        return scenario(client)


def call(name: str, *arguments: Any, **named: Any) -> Callable[[Any], Any]:
    """A scenario with one call."""

    def scenario(client: Any) -> Any:
        return attrgetter(name)(client)(*arguments, **named)

    return scenario


def listing(**query: Any) -> Callable[[Any], Any]:
    """A scenario that reads a complete listing."""

    def scenario(client: Any) -> Any:
        return everything(client.conversations.list(**query))

    return scenario


ONE = factories.conversation()
WHOLE = factories.conversation_with_messages()
PAGE = factories.page(ONE)
SAID = factories.response(text="Hello.")


@pytest.mark.parametrize(
    ("made", "answer", "recorded"),
    [
        (call("conversations.create"), ONE, CreateCall()),
        (
            call(
                "conversations.create",
                display_name="a",
                metadata={"entity_id": None},
                project_id="prj_1",
            ),
            ONE,
            CreateCall(
                display_name="a",
                metadata=ConversationMetadata(extra={"entityId": None}),
                project_id="prj_1",
            ),
        ),
        (call("conversations.retrieve", "conv_1"), WHOLE, RetrieveCall(conversation_id="conv_1")),
        (call("conversations.retrieve", "a/b"), WHOLE, RetrieveCall(conversation_id="a/b")),
        (
            call("conversations.update", "conv_1", metadata={"generating_title": True}),
            ONE,
            UpdateCall(
                conversation_id="conv_1", metadata=ConversationMetadata(generating_title=True)
            ),
        ),
        (call("conversations.delete", "conv_1"), None, DeleteCall(conversation_id="conv_1")),
        (
            call("conversations.generate_name", "conv_1", context="a"),
            ONE,
            GenerateNameCall(conversation_id="conv_1", context="a"),
        ),
        (
            call("conversations.responses.create", "conv_1", message="a", model="b/c"),
            SAID,
            CreateResponseCall(conversation_id="conv_1", parts=(TextPart(text="a"),), model="b/c"),
        ),
        (
            call(
                "conversations.responses.create",
                "conv_1",
                message=UserMessage(
                    parts=[FilePart.from_uri("https://a")],
                    message_id="msg_01jj1hdhn79xas7a01wb3hysdb",
                ),
                model="b/c",
                task_id="task_1",
            ),
            SAID,
            CreateResponseCall(
                conversation_id="conv_1",
                parts=(FilePart.from_uri("https://a"),),
                model="b/c",
                message_id="msg_01jj1hdhn79xas7a01wb3hysdb",
                task_id="task_1",
            ),
        ),
    ],
)
def test_a_call_gets_its_answer_and_is_recorded(
    variant: Variant, fake: FakeService, made: Any, answer: Any, recorded: Any
) -> None:
    fake.answer(answer)
    assert run(variant, fake, made) == answer
    assert fake.calls == (recorded,)
    assert fake.pending == ()


def test_a_listing(variant: Variant, fake: FakeService) -> None:
    one, two, three = factories.conversations(3)
    fake.answer(factories.page(one, two, has_more=True), factories.page(three))
    listed = run(
        variant,
        fake,
        listing(limit=2, entity_id="agent_a"),
    )
    assert listed == [one, two, three]
    assert fake.calls == (
        ListCall(limit=2, entity_id="agent_a"),
        ListCall(limit=2, entity_id="agent_a", starting_after=two.id),
    )


def test_a_raw_response(variant: Variant, fake: FakeService) -> None:
    fake.answer(ONE, PAGE)
    raw = run(variant, fake, call("conversations.with_raw_response.create"))
    assert (raw.parsed, raw.status, raw.request_id) == (ONE, 201, "req_1")
    raw = run(variant, fake, call("conversations.with_raw_response.list"))
    assert (raw.parsed, raw.status, raw.request_id) == (PAGE, 200, "req_2")
    assert fake.calls[-1] == ListCall(limit=UNSET)


def test_any_endpoint(variant: Variant, fake: FakeService) -> None:
    fake.answer({"a": 1}, None)
    raw = run(
        variant,
        fake,
        call("request", "PUT", "/v2/a%2Fb", returns=dict, query={"c": "d"}, body=[1]),
    )
    assert raw.parsed == {"a": 1}
    path = "/v2/conversations/conv_1/a"
    run(variant, fake, call("request", "GET", path, returns=type(None)))
    assert fake.calls == (
        RequestCall(method="PUT", path="/v2/a%2Fb", query={"c": "d"}, body=[1]),
        RequestCall(method="GET", path=path, query={}, body=UNSET),
    )


def test_a_dict_is_sent_as_json(variant: Variant, fake: FakeService) -> None:
    fake.answer({"kind": "conversation", "displayName": "a", "createdAt": 1, "updatedAt": 2, "new": 3})  # fmt: skip
    made = run(variant, fake, call("conversations.create"))
    assert (made.id, made.extra) == (None, {"new": 3})


respond = call("conversations.responses.create", "conv_1", message=["a", "b"], model="c/d")


def test_events_with_another_end(variant: Variant, fake: FakeService) -> None:
    begun: list[Event] = [factories.response_started(), factories.part_delta()]
    fake.answer(begun, [*begun, factories.response_failed(error="Too hot", code=529)])
    with pytest.raises(StreamTruncatedError) as truncated:
        run(variant, fake, respond)
    assert truncated.value.partial == factories.partial_response()
    with pytest.raises(ResponseFailedError) as failed:
        run(variant, fake, respond)
    assert (failed.value.service_message, failed.value.code) == ("Too hot", 529)
    kept = fake.calls[0]
    assert isinstance(kept, CreateResponseCall)
    assert kept.text == "ab"


@pytest.mark.parametrize(
    "cls", [DisconnectError, IdleTimeoutError, ResponseTooLargeError, ConnectError]
)
def test_an_error_at_the_end_of_the_events_breaks_the_stream(
    variant: Variant, fake: FakeService, cls: type[TransportError]
) -> None:
    delta = factories.part_delta(delta=factories.text_part(text="One "))
    error = factories.transport_error(cls, message="the cable is cut.")
    fake.answer([factories.response_started(), delta, error], [cls])

    async def read(client: Any) -> None:
        stream = client.conversations.responses.stream("conv_1", message="a", model="b/c")
        async with stream as events:
            assert [(await anext(events)).type for _ in range(2)] == [
                "response.started",
                delta.type,
            ]
            await anext(events)

    with pytest.raises(StreamTruncatedError, match="broke: the cable is cut") as broken:
        run(variant, fake, partial(played, scenario=read))
    assert broken.value.reason is error
    assert broken.value.partial.text == "One "
    with pytest.raises(StreamTruncatedError) as broken:
        run(variant, fake, respond)
    assert type(broken.value.reason) is cls
    assert broken.value.partial.text == ""
    assert fake.pending == ()


def test_an_error_after_the_last_event_changes_nothing(variant: Variant, fake: FakeService) -> None:
    fake.answer([*factories.events_of(SAID), DisconnectError])
    assert run(variant, fake, respond) == SAID


def test_a_stream_with_an_error_can_be_left_early(variant: Variant, fake: FakeService) -> None:
    fake.answer([factories.response_started(), factories.part_delta(), DisconnectError])

    async def read(client: Any) -> str:
        stream = client.conversations.responses.stream("conv_1", message="a", model="b/c")
        async with stream as events:
            return str((await anext(events)).type)

    assert run(variant, fake, partial(played, scenario=read)) == "response.started"


def test_failures(variant: Variant, fake: FakeService) -> None:
    limit = factories.status_error(RateLimitError, message="Slower", retry_after=2)
    fake.fail(limit)
    with pytest.raises(RateLimitError) as refused:
        run(variant, fake, call("conversations.create"))
    assert refused.value is not limit
    assert (refused.value.service_message, refused.value.retry_after) == ("Slower", 2.0)
    assert refused.value.request_id == "req_1"
    fake.fail(factories.transport_error(DisconnectError, message="gone"))
    with pytest.raises(DisconnectError, match="POST /v2/conversations: gone") as broken:
        run(variant, fake, call("conversations.create"))
    assert broken.value.delivery is Delivery.UNKNOWN
    fake.fail(factories.status_error(NotFoundError))
    with pytest.raises(NotFoundError):
        run(variant, fake, respond)
    assert len(fake.calls) == 3


def test_retries_can_be_enabled(variant: Variant, fake: FakeService) -> None:
    fake.fail(factories.transport_error(ConnectError))
    fake.answer(ONE)
    retry = Retry(wait_initial=0)
    assert run(variant, fake, call("conversations.create"), retry=retry) == ONE
    first, second = fake.calls
    assert isinstance(first, CreateCall)
    assert isinstance(second, CreateCall)
    assert first.idempotency_key == second.idempotency_key != None  # noqa: E711 - compares both


def test_an_invalid_argument_uses_no_answer(variant: Variant, fake: FakeService) -> None:
    fake.answer(ONE)
    with pytest.raises(InvalidArgumentError):
        run(variant, fake, call("conversations.create", display_name="x" * 101))
    assert (fake.calls, fake.pending) == ((), (ONE,))


def test_a_call_without_an_answer(variant: Variant, fake: FakeService) -> None:
    with pytest.raises(
        AssertionError, match=r"no response queued for DeleteCall\(conversation_id='a'\)"
    ):
        run(variant, fake, call("conversations.delete", "a"))
    with pytest.raises(AssertionError, match="no response queued for CreateResponseCall"):
        run(variant, fake, respond)


@pytest.mark.parametrize(
    ("made", "answer", "wanted"),
    [
        (call("conversations.create"), PAGE, "Pass a Conversation, or"),
        (call("conversations.create"), None, "Pass a Conversation, or"),
        (listing(), ONE, "Pass a ConversationPage, or"),
        (call("conversations.delete", "a"), ONE, "Pass None, or"),
        (respond, ONE, "Pass a Response or a list of events, or"),
        (call("request", "GET", "/v3", returns=dict), ONE, "Pass None, or"),
    ],
)
def test_an_answer_for_another_call(
    variant: Variant, fake: FakeService, made: Any, answer: Any, wanted: str
) -> None:
    fake.answer(answer)
    with pytest.raises(AssertionError, match=wanted):
        run(variant, fake, made)


def test_an_error_for_a_compressed_response_can_be_repeated(
    variant: Variant, fake: FakeService
) -> None:
    body = gzip.compress(b'{"message": "Because"}')
    refusal = answer(429, body, Content_Encoding="gzip")
    with ScriptedServer([refusal]) as server, Client("k", base_url=server.url) as client:
        once = client.with_options(retry=Retry(attempts=1))
        with pytest.raises(RateLimitError) as real:
            once.conversations.create()
    assert real.value.headers["content-encoding"] == "gzip"
    fake.fail(real.value)
    with pytest.raises(RateLimitError) as raised:
        run(variant, fake, call("conversations.create"))
    assert raised.value.service_message == real.value.service_message == "Because"
    assert raised.value.body == real.value.body
    assert raised.value.headers["content-type"] == "application/json"


@pytest.mark.parametrize("in_environment", ["prj_environment", " invalid "])
def test_the_project_of_the_client_is_recorded(
    variant: Variant, fake: FakeService, monkeypatch: pytest.MonkeyPatch, in_environment: str
) -> None:
    monkeypatch.setenv("ORQ_PROJECT_ID", in_environment)
    fake.answer(ONE, ONE)
    run(variant, fake, call("conversations.create"))
    run(variant, fake, call("conversations.create"), project_id="prj_1")
    assert fake.calls == (CreateCall(), CreateCall(project_id="prj_1"))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (5, "answer() takes a Conversation, .* not int."),
        ("text", "answer() takes a Conversation, .* not str."),
        (factories.status_error(NotFoundError), ": queue errors with fail()."),
        (NotFoundError, ": queue errors with fail()."),
        (factories.text_part(), "not TextPart."),
        ([factories.response_started(), 5], "Item 1 of the list must be an event, not int."),
        (StreamTruncatedError, "not StreamTruncatedError. To break a stream, queue a list of events"),
        ([NotFoundError], "Item 0 of the list must be an event, not NotFoundError. To break a stream"),
        ([ResponseFailedError], "end it with factories.response_failed()."),
        ([DisconnectError, factories.response_done()], "Item 0 .* not DisconnectError. To break"),
        ([factories.transport_error(ConnectError), 5], "Item 0 .* not ConnectError. To break"),
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_no_call_takes_is_refused_when_it_is_queued(
    answer: Any, problem: str
) -> None:
    fake = FakeService()
    pattern = ".*".join(map(re.escape, problem.split(".*")))
    with pytest.raises(TypeError, match=pattern):
        fake.answer(factories.conversation(), answer)
    assert fake.pending == ()


@pytest.mark.parametrize("failure", [ValueError(), ValueError, None, 404, StreamError, "down"])
def test_a_failure_that_no_call_has_is_refused_when_it_is_queued(failure: Any) -> None:
    with pytest.raises(TypeError, match=r"^fail\(\) takes a StatusError or a TransportError"):
        FakeService().fail(failure)


@pytest.mark.parametrize("failure", [StreamTruncatedError, ResponseFailedError, StreamError])
def test_stream_errors_are_queued_as_events(failure: Any) -> None:
    advice = (
        rf"not {failure.__name__}\. To break a stream, queue a list of events that ends with a "
        r"TransportError, .*response_failed\(\)\.$"
    )
    fake = FakeService()
    for each in (failure, failure("broken", partial=factories.partial_response())):
        with pytest.raises(TypeError, match=advice):
            fake.fail(each)
    assert fake.pending == ()


def test_it_shows_its_calls_and_pending_responses(fake: FakeService) -> None:
    assert repr(fake) == "<FakeService: calls=0, pending=0>"
    fake.answer(ONE, ONE, ONE)
    fake.client().conversations.create()
    assert repr(fake) == "<FakeService: calls=1, pending=2>"


def test_a_block_checks_that_every_response_was_used() -> None:
    with FakeService() as fake:
        fake.answer(ONE)
        fake.client().conversations.create()
    fake.answer(ONE)
    fake.fail(NotFoundError)
    with (
        pytest.raises(AssertionError, match=r"that no call used: \(<?Conversation.*NotFound"),
        fake,
    ):
        pass
    with pytest.raises(ZeroDivisionError), fake:
        raise ZeroDivisionError


@pytest.mark.parametrize("cls", [NotFoundError, RateLimitError, ConnectError, DeadlineError])
def test_a_failure_can_be_a_class(cls: type[StatusError] | type[TransportError]) -> None:
    fake = FakeService()
    fake.fail(cls)
    with pytest.raises(cls):
        fake.client().conversations.create()


def test_retrieve_needs_messages_and_other_calls_none() -> None:
    fake = FakeService()
    fake.answer(factories.conversation(), factories.conversation_with_messages())
    with pytest.raises(AssertionError, match="Pass a ConversationWithMessages"):
        fake.client().conversations.retrieve("conv_1")
    with pytest.raises(AssertionError, match="Pass a Conversation, or"):
        fake.client().conversations.create()


@pytest.mark.parametrize("kind", ["client", "async_client"])
def test_clients_of_fakes_have_the_settings_of_clients(kind: str) -> None:
    """Except those that the fake or the sandbox determines."""
    cls = Client if kind == "client" else AsyncClient
    every = set(inspect.signature(cls).parameters)
    decided = {"api_key", "base_url", "allow_plain_http", "ssl_context", "http_client"}
    settings = inspect.signature(getattr(Sandbox, kind)).parameters
    assert {*settings} == {"self"} | (every - decided)
    fake_settings = inspect.signature(getattr(FakeService, kind)).parameters
    assert {*fake_settings} == {*settings} - {"max_connections", "pickle_key"}
    for name in settings.keys() - {"self", "timeout", "retry"}:
        assert settings[name].default == inspect.signature(cls).parameters[name].default


def test_clients_of_fakes_use_their_settings() -> None:
    fake = FakeService()
    seen: list[object] = []
    hooks = Hooks(on_request=seen.append)
    client = fake.client(hooks=hooks, timeout=3, max_response_bytes=10, extra_headers={"X": "a"})
    fake.answer(factories.conversation())
    with pytest.raises(ConversationsError, match="max_response_bytes=10"):
        client.conversations.create()
    assert (len(seen), client.timeout.total) == (1, 3)
    assert client._settings.extra_headers == (("X", "a"),)
    with Sandbox() as sandbox, sandbox.client(hooks=hooks, max_connections=1) as real:
        real.conversations.create()
    assert len(seen) == 2


def test_async_clients_of_fakes_use_their_settings() -> None:
    fake = FakeService()
    seen: list[object] = []

    async def on_request(request: object) -> None:
        seen.append(request)

    hooks = AsyncHooks(on_request=on_request)

    async def create() -> None:
        fake.answer(factories.conversation())
        async with fake.async_client(hooks=hooks, extra_headers={"X": "a"}) as client:
            await client.conversations.create()
        assert client._settings.extra_headers == (("X", "a"),)
        with Sandbox() as sandbox:
            async with sandbox.async_client(hooks=hooks) as client:
                await client.conversations.create()

    anyio.run(create)
    assert len(seen) == 2


class TeamClient(Client):
    def __init__(self, team: str, **settings: Any) -> None:
        super().__init__("any-key", project_id="prj_team", **settings)
        self.team = team


def test_a_subclass_of_the_client() -> None:
    fake = FakeService()
    fake.answer(factories.conversation(display_name="Refunds"))
    client = TeamClient("billing", http_client=fake.http_client())
    assert client.conversations.create().display_name == "Refunds"
    assert fake.calls == (CreateCall(project_id="prj_team"),)


@pytest.mark.parametrize("path", ["", "/gateway", "/gateway/orq", "/v1", "/v2/a"])
def test_a_client_with_any_base_url(variant: Variant, fake: FakeService, path: str) -> None:
    """As in a program whose calls go through a gateway."""

    is_sync = variant.name == "sync"
    http_client = fake.http_client() if is_sync else fake.async_http_client()
    settings: dict[str, Any] = {"base_url": f"https://example.com{path}"}
    settings["http_client"] = http_client
    fake.answer(None)
    variant.run(call("conversations.delete", "conv/1"), api_key="any-key", **settings)
    assert fake.calls == (DeleteCall(conversation_id="conv/1"),)


def test_the_path_of_a_custom_request_has_no_path_of_the_base_url() -> None:
    fake = FakeService()
    fake.answer({}, {})
    http_client = fake.http_client()
    for base_url in ("https://example.com", "https://example.com/gateway"):
        client = Client("any-key", base_url=base_url, http_client=http_client)
        client.request("GET", "/v2/files", returns=dict[str, Any])
    assert fake.calls == (RequestCall(method="GET", path="/v2/files"),) * 2
