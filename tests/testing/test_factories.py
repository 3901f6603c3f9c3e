"""The factories create valid objects of each class."""

import inspect
import pickle
import re
from typing import Any

import attrs
import httpx
import pytest
from jsonschema import Draft202012Validator

import conversations_client
from conversations_client import (
    AuthenticationError,
    ConnectError,
    ConnectTimeoutError,
    Conversation,
    DecodeError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    NotFoundError,
    PoolTimeoutError,
    ProxyError,
    RateLimitError,
    ServerError,
    StatusError,
    TransportError,
    structure,
    unstructure,
)
from conversations_client._base.secret import Secret
from conversations_client._http.transport_errors import transport_error
from conversations_client.sandbox._schemas.revisions import REVISIONS
from conversations_client.testing import FakeService, factories

NEEDS: dict[str, list[Any]] = {
    "conversations": [2],
    "events_of": [factories.response()],
    "raw_response": [factories.conversation()],
}
SEVERAL = {"conversations", "exchange", "events_of"}
ERRORS = {"status_error", "transport_error"}
MADE: dict[str, Any] = {
    name: getattr(factories, name)(*NEEDS.get(name, []))
    for name in factories.__all__
    if name not in ERRORS
}
# Tests create settings and arguments themselves; usage details and parts of errors need none.
NOT_MADE = {
    "CompletionTokensDetails", "Fault", "PromptTokensDetails", "Retry", "Timeout",
    "AsyncPages", "Created", "Deleted", "Failed", "Pages", "Retrieved", "ToolFunction",
    "AsyncHooks", "Hooks", "RequestInfo", "ResponseInfo", "RetryInfo",
}  # fmt: skip
KINDS: dict[str, Any] = {"unknown_event": conversations_client.Event}
ID = re.compile(r"(conv|msg|user|resp|task|run|tool|call|text)_[0-7][0-9a-hjkmnp-tv-z]{25}")


def single(name: str) -> list[Any]:
    made = MADE[name]
    return [*made] if name in SEVERAL else [made]


def test_each_class_has_a_factory() -> None:
    classes = {
        name
        for name in conversations_client.__all__
        for member in [getattr(conversations_client, name)]
        if inspect.isclass(member) and attrs.has(member) and name == member.__name__
    }
    made = {type(each).__name__ for name in MADE for each in single(name)}
    assert made == classes - NOT_MADE


@pytest.mark.parametrize("name", sorted(MADE.keys() - {"raw_response", "user_message"}))
def test_objects_survive_json_and_pickle(name: str) -> None:
    for each in single(name):
        if not isinstance(each, conversations_client.PartialResponse):
            assert structure(unstructure(each), KINDS.get(name, type(each))) == each
        assert pickle.loads(pickle.dumps(each)) == each


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("conversation", "Conversation"),
        ("conversations", "Conversation"),
        ("conversation_with_messages", "ConversationWithMessages"),
        ("message", "Message"),
        ("exchange", "Message"),
        ("text_part", "Part"),
        ("file_part", "Part"),
        ("tool_result_part", "Part"),
        ("error_part", "Part"),
    ],
)
def test_objects_match_the_schemas_of_the_sandbox(name: str, schema: str) -> None:
    components = {"schemas": REVISIONS[2].schemas()}
    check: Any = Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": components}
    )
    for each in single(name):
        assert check.is_valid(unstructure(each))


def test_ids_are_ulids_and_times_are_plausible() -> None:
    for name in MADE:
        for each in single(name):
            for attribute in each.__attrs_attrs__:
                value = getattr(each, attribute.name)
                if attribute.name.endswith("id") and attribute.name != "request_id" and value:
                    assert ID.fullmatch(value), (name, attribute.name)
    assert factories.response_started().time == factories.conversation().created


def test_several_conversations_are_distinct() -> None:
    assert factories.conversations(0) == ()
    one, two, three = factories.conversations(3)
    assert (one.id or "") > (two.id or "") > (three.id or "")
    assert one.created_at > two.created_at > three.created_at
    assert len({each.display_name for each in (one, two, three)}) == 3
    assert factories.conversations(2) == (two, three)
    assert factories.page(one, two, has_more=True).data == (one, two)


ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("conversation", {"id": None, "kind": "x", "metadata": factories.metadata(model=None)}),
    ("conversation_with_messages", {"id": None}),
    ("conversation_with_messages", {"messages": ()}),
    ("message", {"parts": (factories.error_part(),), "role": "assistant"}),
    ("user_message", {"parts": (factories.file_part(),), "message_id": "msg_1"}),
    ("file_part", {"file": factories.file_content(bytes=None, uri="https://example.com/a")}),
    ("tool_result_part", {"result": None, "metadata": {}}),
    ("data_part", {"data": {}}),
    ("response", {"parts": (factories.data_part(),), "finish_reason": "length"}),
    ("partial_response", {"parts": (), "model": None, "task_id": "task_2"}),
    ("part_delta", {"delta": factories.data_part()}),
    ("part_done", {"part": factories.data_part()}),
    ("tool_done", {"result": None}),
    ("response_done", {"pending_tool_calls": (factories.tool_call(),)}),
    ("unknown_part", {"kind": "x"}),
]


@pytest.mark.parametrize(("name", "arguments"), ARGUMENTS)
def test_arguments_become_attributes(name: str, arguments: dict[str, Any]) -> None:
    made = getattr(factories, name)(**arguments)
    assert made == attrs.evolve(MADE[name], **arguments)
    assert factories.unknown_part(a=1).json == {"kind": "hologram", "a": 1}
    assert factories.unknown_event(a=1).json == {"type": "weather.changed", "a": 1}


@pytest.mark.parametrize(
    "response",
    [
        factories.response(),
        factories.response(text=""),
        factories.response(text="  One\n\ntwo ", usage=factories.usage()),
        factories.response(
            parts=(
                factories.reasoning_part(signature="abc"),
                factories.data_part(id="data_1"),
                factories.unknown_part(),
                factories.text_part(text="One two"),
            ),
            finish_reason="tool_calls",
            pending_tool_calls=[factories.tool_call()],
        ),
        factories.response(user_message_id=None, assistant_message_id=None),
        factories.response(id="resp_2", task_id="task_2", workflow_run_id="run_2"),
    ],
    ids=["plain", "empty", "spaces", "parts", "without", "ids"],
)
def test_events_of_a_response_accumulate_to_it(
    response: conversations_client.Response,
) -> None:
    fake = FakeService()
    fake.answer(response, list(factories.events_of(response)))
    for _ in range(2):
        call = fake.client().conversations.responses.create
        assert call("conv_1", message="a", model="b/c") == response


def test_a_response_is_streamed_word_by_word() -> None:
    fake = FakeService()
    fake.answer(factories.response(text="One two three"))
    stream = fake.client().conversations.responses.stream("conv_1", message="a", model="b/c")
    with stream as events:
        assert list(events.text_deltas()) == ["One ", "two ", "three"]


STATUS_ERRORS = [StatusError, *StatusError.__subclasses__()]


@pytest.mark.parametrize("cls", STATUS_ERRORS)
def test_a_status_error_equals_the_one_of_the_client(cls: type[StatusError]) -> None:
    error = factories.status_error(cls, message="Because", retry_after=2, headers={"A": "b"})
    assert type(error) is cls
    assert error.service_message == "Because"
    assert (error.retry_after, error.headers["a"], error.request_id) == (2.0, "b", "req_1")
    assert (error.attempts, error.body) == (1, b'{"message": "Because"}')
    assert error.__traceback__ is None
    assert str(error).startswith("GET /v2/conversations/conv_01jj1hdhn79xas7a01wb3hysdb returned ")
    assert (error.method, error.template) == ("GET", "/v2/conversations/{conversation_id}")
    assert pickle.loads(pickle.dumps(error)).status == error.status


def test_the_options_of_a_status_error() -> None:
    error = factories.status_error(ServerError, status=502, body=b"<html>", request_id=None)
    assert (error.status, error.body, error.service_message) == (502, b"<html>", None)
    assert (error.request_id, error.retry_after) == (None, None)
    month = factories.status_error(RateLimitError, retry_after=2_592_000)
    assert month.retry_after == 2_592_000
    for cls, status in ((NotFoundError, 409), (AuthenticationError, 200), (RateLimitError, 500)):
        with pytest.raises(ValueError, match=f"{status} doesn't belong to {cls.__name__}"):
            factories.status_error(cls, status=status)


@pytest.mark.parametrize(
    ("cls", "raised"),
    [
        (ConnectError, httpx.ConnectError),
        (ProxyError, httpx.ProxyError),
        (ConnectTimeoutError, httpx.ConnectTimeout),
        (PoolTimeoutError, httpx.PoolTimeout),
        (IdleTimeoutError, httpx.ReadTimeout),
        (DisconnectError, httpx.ReadError),
    ],
)
def test_the_delivery_of_a_transport_error(
    cls: type[TransportError], raised: type[httpx.TransportError]
) -> None:
    real = transport_error(raised(""), Secret("k"))
    made = factories.transport_error(cls)
    assert type(made) is type(real) is cls
    assert (made.delivery, made.attempts) == (real.delivery, 1)
    assert (made.method, made.template) == ("GET", "/v2/conversations/{conversation_id}")
    told = factories.transport_error(cls, message="a", delivery=Delivery.REFUSED)
    assert (str(told), told.delivery) == ("a", Delivery.REFUSED)


def test_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORQ_BASE_URL", "no URL")
    monkeypatch.setenv("ORQ_API_KEY", "no key")
    monkeypatch.setenv("ORQ_PROJECT_ID", " no project ")
    monkeypatch.setenv("HTTPS_PROXY", "no proxy")
    assert factories.status_error(RateLimitError).status == 429
    assert isinstance(factories.conversation(), Conversation)


@pytest.mark.parametrize("cls", [ConnectError, DecodeError, ValueError, 404])
def test_a_status_error_is_made_of_its_classes_only(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"^status_error takes one of StatusError, BadRequestError"):
        factories.status_error(cls)


@pytest.mark.parametrize("cls", [NotFoundError, DecodeError, ValueError, "down"])
def test_a_transport_error_is_made_of_its_classes_only(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"^transport_error takes one of TransportError"):
        factories.transport_error(cls)


def test_each_transport_error_says_what_its_class_means() -> None:
    classes: list[type[TransportError]] = [TransportError]
    for cls in classes:
        classes.extend(cls.__subclasses__())
    public = [cls for cls in classes if hasattr(conversations_client, cls.__name__)]
    messages = {str(factories.transport_error(cls)) for cls in public}
    assert len(messages) == len(public) == 11
