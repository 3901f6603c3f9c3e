"""The request of each operation, by literal equality."""

from types import NoneType
from typing import Any

import pytest

from conversations_client import (
    UNSET,
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationPage,
    ConversationWithMessages,
    InvalidArgumentError,
    Timeout,
)
from conversations_client._base import lazy_imports
from conversations_client._base.headers import Headers
from conversations_client._calls import endpoints
from conversations_client._calls.call_options import NO_OPTIONS, CallOptions
from conversations_client._calls.operation import (
    NO_CONTENT,
    STREAM_SUCCESS,
    Operation,
    Reply,
    Request,
    any_success,
)

ALL = "/v2/conversations"
ONE = "/v2/conversations/{conversation_id}"
OBJECT = Conversation(
    id="conv_1", kind=ConversationKind.CONVERSATION, display_name="", created_at=1, updated_at=1
)
NOTHING: dict[str, Any] = {"display_name": UNSET, "metadata": UNSET}
CREATE: dict[str, Any] = {**NOTHING, "project_id": UNSET, "idempotency_key": None}
JSON = ((b"content-type", b"application/json"),)
ANYTHING: dict[str, Any] = {
    "returns": dict,
    "query": {},
    "body": UNSET,
    "idempotency_key": None,
}


def creation(body: bytes, **more: Any) -> Operation[Conversation]:
    return Operation(
        Request(method="POST", template=ALL, path=ALL, body=body, **more), Conversation
    )


@pytest.mark.parametrize(
    ("arguments", "operation"),
    [
        ({}, creation(b"{}")),
        ({"display_name": ""}, creation(b'{"displayName":""}')),
        ({"project_id": None}, creation(b"{}")),
        ({"project_id": "p"}, creation(b'{"projectId":"p"}')),
        ({"metadata": {}}, creation(b'{"metadata":{}}')),
        ({"metadata": {"model": None}}, creation(b'{"metadata":{"model":null}}')),
        (
            {"metadata": ConversationMetadata(entity_id="a")},
            creation(b'{"metadata":{"entityId":"a"}}'),
        ),
        ({"idempotency_key": "k"}, creation(b"{}", idempotency_key="k")),
        (
            {"display_name": "é", "project_id": "p", "metadata": {"generating_title": True}},
            creation(
                '{"displayName":"é","projectId":"p","metadata":{"generatingTitle":true}}'.encode()
            ),
        ),
    ],
)
def test_create(arguments: dict[str, Any], operation: Operation[Conversation]) -> None:
    assert endpoints.create(**CREATE | arguments) == operation


@pytest.mark.parametrize(
    ("request_", "project_id", "body", "key"),
    [
        ({}, None, b"{}", "new"),
        ({}, "p", b'{"projectId":"p"}', "new"),
        ({"project_id": "q"}, "p", b'{"projectId":"q"}', "new"),
        ({"project_id": None}, "p", b"{}", "new"),
        ({"idempotency_key": "k"}, None, b"{}", "k"),
        ({"display_name": "a", "metadata": {}}, None, b'{"displayName":"a","metadata":{}}', "new"),
    ],
)
def test_each_of_many_creates_has_a_key_and_no_retries(
    request_: dict[str, Any], project_id: str | None, body: bytes, key: str
) -> None:
    operation = endpoints.create_one_of_many(request_, project_id=project_id, new_key=lambda: "new")
    assert operation == creation(body, idempotency_key=key, caller_handles_throttling=True)


def page(*query: tuple[str, str], **options: Any) -> Operation[ConversationPage]:
    return Operation(
        Request(method="GET", template=f"{ALL}/", path=f"{ALL}/", query=query, **options),
        ConversationPage,
        alternate=Request(method="GET", template=ALL, path=ALL, query=query, **options),
    )


PAGES: list[tuple[dict[str, Any], str | None, Operation[ConversationPage]]] = [
    ({}, None, page()),
    ({}, "conv_2", page(("startingAfter", "conv_2"))),
    ({"limit": 1}, None, page(("limit", "1"))),
    ({"limit": 100}, "conv_2", page(("limit", "100"), ("startingAfter", "conv_2"))),
    ({"starting_after": "conv_1"}, None, page(("startingAfter", "conv_1"))),
    ({"starting_after": OBJECT}, None, page(("startingAfter", "conv_1"))),
    ({"starting_after": "conv_1"}, "conv_2", page(("startingAfter", "conv_2"))),
    ({"ending_before": "conv_1"}, None, page(("endingBefore", "conv_1"))),
    ({"ending_before": OBJECT}, None, page(("endingBefore", "conv_1"))),
    ({"ending_before": "conv_1"}, "conv_2", page(("endingBefore", "conv_2"))),
    ({"entity_id": "a"}, None, page(("entityId", "a"))),
    (
        {"limit": 2, "starting_after": "conv_1", "entity_id": "a"},
        None,
        page(("limit", "2"), ("startingAfter", "conv_1"), ("entityId", "a")),
    ),
    (
        {"options": CallOptions(Timeout(total=1.0), (("x-a", "b"),))},
        None,
        page(timeout=Timeout(total=1.0), extra_headers=(("x-a", "b"),)),
    ),
]


@pytest.mark.parametrize(("arguments", "cursor", "operation"), PAGES)
def test_pages(
    arguments: dict[str, Any], cursor: str | None, operation: Operation[ConversationPage]
) -> None:
    assert endpoints.Listing(**arguments).page(cursor) == operation


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"starting_after": "a", "ending_before": "b"}, "can't be combined"),
        ({"starting_after": ""}, "starting_after is empty"),
        ({"ending_before": ""}, "ending_before is empty"),
        ({"entity_id": ""}, "entity_id is empty"),
        ({"limit": "1"}, "limit must be"),
    ],
)
def test_a_listing_that_cannot_be_sent(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        endpoints.Listing(**arguments).page(None)


@pytest.mark.parametrize(
    ("arguments", "text", "is_backwards"),
    [
        ({}, "", False),
        ({"limit": 5}, "limit=5", False),
        ({"starting_after": OBJECT}, "starting_after='conv_1'", False),
        (
            {"limit": 5, "ending_before": "a", "entity_id": "b", "options": NO_OPTIONS},
            "limit=5, ending_before='a', entity_id='b'",
            True,
        ),
    ],
)
def test_a_listing_shows_its_arguments(
    arguments: dict[str, Any], text: str, *, is_backwards: bool
) -> None:
    listing: Any = endpoints.Listing(**arguments)
    assert (str(listing), listing.is_backwards) == (text, is_backwards)
    with pytest.raises(AttributeError):
        listing.limit = 1


@pytest.mark.parametrize("conversation_id", ["conv_1", OBJECT])
def test_retrieve_and_delete(conversation_id: str | Conversation) -> None:
    assert endpoints.retrieve(conversation_id) == Operation(
        Request(method="GET", template=ONE, path=f"{ALL}/conv_1"), ConversationWithMessages
    )
    assert endpoints.delete(conversation_id) == Operation(
        Request(method="DELETE", template=ONE, path=f"{ALL}/conv_1"), NoneType, NO_CONTENT
    )


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"display_name": ""}, b'{"displayName":""}'),
        ({"metadata": {"entity_id": None}}, b'{"metadata":{"entityId":null}}'),
        ({"display_name": "a", "metadata": {}}, b'{"displayName":"a","metadata":{}}'),
    ],
)
def test_update(arguments: dict[str, Any], body: bytes) -> None:
    assert endpoints.update("a/b", **NOTHING | arguments) == Operation(
        Request(method="PATCH", template=ONE, path=f"{ALL}/a%2Fb", body=body), Conversation
    )


@pytest.mark.parametrize("arguments", [{}, {"metadata": {}}])
def test_an_update_without_a_change_is_rejected(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="Nothing to change"):
        endpoints.update("a", **NOTHING | arguments)


@pytest.mark.parametrize("key", [None, "k"])
def test_generate_name(key: str | None) -> None:
    assert endpoints.generate_name("conv_1", context="a", idempotency_key=key) == Operation(
        Request(
            method="POST",
            template=f"{ONE}/generate-name",
            path=f"{ALL}/conv_1/generate-name",
            body=b'{"context":"a"}',
            idempotency_key=key,
        ),
        Conversation,
    )


@pytest.mark.parametrize(
    ("task_id", "more"), [(UNSET, ""), (None, ""), ("task_1", '"task_id":"task_1",')]
)
def test_create_response(task_id: Any, more: str) -> None:
    operation = endpoints.create_response(
        "conv_1", message="Hi", model="openai/gpt-4o", task_id=task_id, idempotency_key="k"
    )
    message = '{"role":"user","parts":[{"kind":"text","text":"Hi"}]}'
    body = f'{{"message":{message},"model":"openai/gpt-4o",{more}"stream":true}}'
    assert operation == Operation(
        Request(
            method="POST",
            template=f"{ONE}/responses",
            path=f"{ALL}/conv_1/responses",
            body=body.encode(),
            idempotency_key="k",
            streams=True,
        ),
        NoneType,
        STREAM_SUCCESS,
    )


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {}),
        ({"query": {"a": "b", "c": "&"}}, {"query": (("a", "b"), ("c", "&"))}),
        ({"body": None}, {"body": b"null"}),
        ({"body": {"a": [1]}}, {"body": b'{"a":[1]}'}),
        ({"body": ConversationMetadata(entity_id="a")}, {"body": b'{"entityId":"a"}'}),
        ({"idempotency_key": "k"}, {"idempotency_key": "k"}),
    ],
)
def test_an_endpoint_without_its_own_method(
    arguments: dict[str, Any], sent: dict[str, Any]
) -> None:
    operation = endpoints.any_endpoint("put", "/v2/a%20b", **ANYTHING | arguments)
    expected = Request(method="PUT", template="/v2/a%20b", path="/v2/a%20b", **sent)
    assert operation == Operation(expected, dict, any_success(dict))


def test_an_endpoint_without_a_body() -> None:
    arguments: dict[str, Any] = ANYTHING | {"returns": NoneType}
    operation = endpoints.any_endpoint("GET", "/a", **arguments)
    assert operation.success == any_success(NoneType) != any_success(dict)


@pytest.mark.parametrize("returns", [dict, list[int], Conversation | None, Any])
def test_any_type_of_json_can_be_returned(returns: Any) -> None:
    arguments: dict[str, Any] = ANYTHING | {"returns": returns}
    operation = endpoints.any_endpoint("GET", "/a", **arguments)
    assert operation.returns == returns


def test_a_response_that_may_be_null() -> None:
    arguments: dict[str, Any] = ANYTHING | {"returns": Conversation | None}
    operation = endpoints.any_endpoint("GET", "/a", **arguments)
    reply = Reply(status=200, headers=Headers(JSON), body=b"null", received_at=0.0)
    assert operation.read(reply) is None


def test_a_fork_waits_for_the_modules_that_an_operation_imports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lazy_imports, "started_imports", {})
    endpoints.retrieve("a")
    assert list(lazy_imports.started_imports) == ["conversations_client.messages"]
    endpoints.create_response("a", message="b", model="c/d", task_id=UNSET, idempotency_key=None)
    assert "conversations_client._calls.user_message" in lazy_imports.started_imports
