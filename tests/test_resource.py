"""All operations in every variant, against the sandbox and scripted servers."""

import json
from collections.abc import Iterator
from datetime import datetime
from types import NoneType
from typing import Any

import attrs
import pytest
from scripted import CONVERSATION, HANG_UP, ScriptedServer, answer
from variants import KEY, Variant, World

from conversations_client import (
    UNSET,
    BadRequestError,
    Conversation,
    ConversationMetadata,
    ConversationPage,
    ConversationsError,
    ConversationWithMessages,
    DecodeError,
    Delivery,
    ErrorPart,
    FileContent,
    FilePart,
    InvalidArgumentError,
    Message,
    MessageRole,
    NotFoundError,
    RawResponse,
    TextPart,
    ToolResultPart,
    UnknownPart,
    structure,
    unstructure,
)
from conversations_client.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[int, Sandbox]]:
    with Sandbox(revision=1) as first, Sandbox(revision=2) as second:
        yield {1: first, 2: second}


@pytest.fixture
def options(sandboxes: dict[int, Sandbox], revision: int) -> dict[str, Any]:
    sandbox = sandboxes[revision]
    return {"api_key": sandbox.api_key, "base_url": sandbox.url}


def call(name: str, *arguments: Any, **named: Any) -> Any:
    """A scenario with one call."""

    def scenario(client: Any) -> Any:
        return getattr(client.conversations, name)(*arguments, **named)

    return scenario


def nested(levels: int) -> Any:
    """A dict in a dict, and so on."""
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def endless() -> Any:
    """A list that contains itself."""
    value: list[Any] = []
    value.append(value)
    return value


def unknown(method: str, path: str, **options: Any) -> Any:
    """A scenario with a call to an unknown endpoint."""

    def scenario(client: Any) -> Any:
        return client.request(method, path, **{"returns": dict, **options})

    return scenario


@attrs.frozen
class Visit:
    at: datetime


@attrs.frozen
class Visits:
    by_name: dict[str, list[Visit]] | None


def test_the_life_cycle_of_a_conversation(
    variant: Variant, options: dict[str, Any], revision: int
) -> None:
    one = variant.run(call("create", metadata={"entity_id": "a"}), **options)
    found = variant.run(call("retrieve", one.id), **options)
    assert isinstance(found, ConversationWithMessages)
    messages = None if revision == 1 else ()
    assert (found.id, found.metadata, found.messages) == (one.id, one.metadata, messages)
    named = variant.run(call("generate_name", one.id, context="About an invoice"), **options)
    assert named.display_name == "About an invoice"
    assert named.metadata == ConversationMetadata(entity_id="a", generating_title=False)
    with pytest.raises(BadRequestError, match="already has a name"):
        variant.run(call("generate_name", one.id, context="again"), **options)
    entity_id = "b" if revision == 1 else None
    changed = variant.run(call("update", one.id, metadata={"entity_id": entity_id}), **options)
    assert (changed.display_name, changed.metadata.entity_id) == ("About an invoice", entity_id)
    assert changed.extra == ({"entityId": "b"} if revision == 1 else {})
    renamed = variant.run(call("update", one.id, display_name="new"), **options)
    assert (renamed.display_name, renamed.metadata) == ("new", changed.metadata)
    assert variant.run(call("delete", one.id), **options) is None
    for gone in (
        call("retrieve", one.id),
        call("update", one.id, display_name="x"),
        call("delete", one.id),
        call("generate_name", one.id, context="x"),
    ):
        with pytest.raises(NotFoundError, match="Check the ID"):
            variant.run(gone, **options)


@pytest.mark.parametrize(
    ("scenario", "request_line"),
    [
        (call("retrieve", "conv_1"), "GET /v2/conversations/conv_1"),
        (call("generate_name", "conv_1", context="x"), "POST /v2/conversations/conv_1/generate-name"),
        (call("delete", "a/b\n{c}"), "DELETE /v2/conversations/a%2Fb%0A%7Bc%7D"),
        (call("generate_name", "x" * 5000, context="x"), f"POST /v2/conversations/{'x' * 100}…/generate-name"),
    ],
)  # fmt: skip
def test_an_error_names_the_conversation(
    variant: Variant, scenario: Any, request_line: str
) -> None:
    with (
        ScriptedServer([answer(404, {"message": "no"})]) as server,
        pytest.raises(NotFoundError) as raised,
    ):
        variant.run(scenario, api_key=KEY, base_url=server.url)
    assert str(raised.value).startswith(f"{request_line} returned 404 Not Found: no.")


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (call("list", limit=0), "limit is 0, but"),
        (call("list", limit=101), "limit is 101, but"),
        (call("list", limit=True), "limit must be"),
        (call("list", starting_after="a", ending_before="b"), "can't be combined"),
        (call("list", entity_id=""), "entity_id is empty"),
        (call("retrieve", ""), "conversation_id is empty"),
        (call("retrieve", None), "conversation_id must be a conversation or its ID"),
        (call("delete", ".."), "conversation_id is '..'"),
        (call("update", "."), "Nothing to change"),
        (call("update", "a", metadata={}), "Nothing to change"),
        (call("update", "a", display_name=UNSET, metadata=UNSET), "Nothing to change"),
        (call("update", "a", display_name=None), "display_name can't be None"),
        (call("update", "a", metadata={"model": "m"}), "model can't be changed"),
        (call("update", ".", display_name="x"), "conversation_id is '.'"),
        (call("generate_name", "a", context=""), "context is empty"),
        (unknown("GET", "x"), "path must begin with '/'"),
        (unknown("GET", "/a/../b"), "path contains the segment '..'"),
        (unknown("GET", "/a?b"), "query="),
        (unknown("BREW", "/a"), "method must be one of GET"),
        (unknown("GET", "/a", query={"q": "\ud800"}), "query: q contains half of a surrogate pair"),
        (
            unknown("GET", "/a", query={"\udfff": "q"}),
            "query: a name contains half of a surrogate pair",
        ),
        (unknown("GET", "/a", query={"q": True}), "query: q must be a string or a whole number"),
        (unknown("GET", "/a", query={"q": ["1"]}), "query: q must be a string or a whole number"),
        (unknown("GET", "/a", query=[]), "query must be a dict"),
        (unknown("POST", "/a", returns=Visit), "JSON can't be converted to datetime (Visit.at)"),
        (
            unknown("POST", "/a", returns=list[Visits]),
            "JSON can't be converted to datetime (Visit.at)",
        ),
        (unknown("POST", "/a", returns=bytes), "returns can't be bytes"),
        (unknown("POST", "/a", returns=int | str), "returns can't be int | str"),
        (unknown("POST", "/a", returns="x"), "returns must be a class"),
        (unknown("POST", "/a", body=nested(100_000)), "body is nested too deeply"),
        (unknown("POST", "/a", body=endless()), "body is nested too deeply, or contains itself"),
    ],
)
def test_invalid_arguments_are_rejected_before_anything_is_sent(
    variant: Variant, scenario: Any, words: str
) -> None:
    with ScriptedServer([]) as server, pytest.raises(InvalidArgumentError) as raised:
        variant.run(scenario, api_key=KEY, base_url=server.url)
    assert words in str(raised.value)
    assert server.connections == 0


@pytest.mark.parametrize("conversation_id", ["", " ", ".", ".."])
def test_invalid_ids_are_rejected_before_anything_is_sent(
    variant: Variant, conversation_id: str
) -> None:
    for scenario in (
        call("retrieve", conversation_id),
        call("update", conversation_id, display_name="x"),
        call("delete", conversation_id),
        call("generate_name", conversation_id, context="x"),
    ):
        with ScriptedServer([]) as server, pytest.raises(InvalidArgumentError, match="_id is"):
            variant.run(scenario, api_key=KEY, base_url=server.url)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("conversation_id", "segment"),
    [("a/b?c#d", "a%2Fb%3Fc%23d"), ("%2F", "%252F"), ("a b", "a%20b"), ("é", "%C3%A9")],
)
def test_ids_are_one_segment_of_the_path(
    variant: Variant, conversation_id: str, segment: str
) -> None:
    one = answer(200, CONVERSATION)
    for script, scenario, target in [
        (one, call("retrieve", conversation_id), ""),
        (one, call("update", conversation_id, display_name="x"), ""),
        (answer(204, b""), call("delete", conversation_id), ""),
        (one, call("generate_name", conversation_id, context="x"), "/generate-name"),
    ]:
        with ScriptedServer([script]) as server:
            variant.run(scenario, api_key=KEY, base_url=server.url)
        assert server.seen[0].target == f"/v2/conversations/{segment}{target}"


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"display_name": ""}, {"displayName": ""}),
        ({"metadata": {"entity_id": None}}, {"metadata": {"entityId": None}}),
        (
            {"metadata": ConversationMetadata(generating_title=False)},
            {"metadata": {"generatingTitle": False}},
        ),
        ({"display_name": "x", "metadata": {}}, {"displayName": "x", "metadata": {}}),
    ],
)
def test_update_sends_the_given_fields(
    variant: Variant, arguments: dict[str, Any], body: dict[str, Any]
) -> None:
    with ScriptedServer([answer(200)]) as server:
        variant.run(call("update", "a", **arguments), api_key=KEY, base_url=server.url)
    assert (server.seen[0].method, json.loads(server.seen[0].body)) == ("PATCH", body)
    assert "idempotency-key" not in server.seen[0].headers


def test_the_first_revision_has_no_messages_and_a_top_level_entity(variant: Variant) -> None:
    with ScriptedServer([answer(200, {**CONVERSATION, "entityId": "e"})]) as server:
        found = variant.run(call("retrieve", "a"), api_key=KEY, base_url=server.url)
    assert (found.messages, found.entity_id) == (None, "e")


RAW: list[tuple[str, tuple[Any, ...], dict[str, Any], bytes, type]] = [
    ("create", (), {}, answer(201, X_Request_Id="req_1"), Conversation),
    ("retrieve", ("a",), {}, answer(200, X_Request_Id="req_1"), ConversationWithMessages),
    ("update", ("a",), {"display_name": "x"}, answer(200, X_Request_Id="req_1"), Conversation),
    ("delete", ("a",), {}, answer(204, b"", X_Request_Id="req_1"), NoneType),
    ("generate_name", ("a",), {"context": "x"}, answer(200, X_Request_Id="req_1"), Conversation),
    ("list", (), {}, answer(200, {"data": [], "has_more": True}, X_Request_Id="req_1"), ConversationPage),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "named", "reply", "parsed"), RAW)
def test_every_call_has_a_raw_response(  # noqa: PLR0917 - the columns of the table
    variant: Variant,
    name: str,
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    reply: bytes,
    parsed: type,
) -> None:
    with ScriptedServer([answer(429, {}, Retry_After="2"), reply]) as server:
        raw: RawResponse[Any] = variant.run(
            lambda client: getattr(client.conversations.with_raw_response, name)(
                *arguments, **named
            ),
            world=World(),
            api_key=KEY,
            base_url=server.url,
        )
    assert type(raw.parsed) is parsed
    assert raw.status == int(reply.split()[1])
    assert (raw.request_id, raw.attempts, raw.elapsed) == ("req_1", 2, 2.0)
    assert raw.headers["X-REQUEST-ID"] == "req_1"


@attrs.frozen
class Feature:
    feature_name: str


def test_an_unknown_endpoint(variant: Variant) -> None:
    with ScriptedServer([answer(503, {}), answer(200, {"featureName": "x"})]) as server:
        raw = variant.run(
            lambda c: c.request(
                "get", "/v2/features/a%20b", returns=Feature, query={"q": "a&b", "limit": 1}
            ),
            world=World(),
            api_key=KEY,
            base_url=server.url,
        )
    assert (raw.parsed, raw.attempts) == (Feature("x"), 2)
    assert server.seen[0].target == "/v2/features/a%20b?q=a%26b&limit=1"
    with (
        ScriptedServer([answer(200, {})]) as server,
        pytest.raises(DecodeError, match="featureName"),
    ):
        variant.run(
            lambda c: c.request("POST", "/v2/x", returns=Feature, body=Feature("y")),
            api_key=KEY,
            base_url=server.url,
        )
    assert json.loads(server.seen[0].body) == {"featureName": "y"}
    assert server.seen[0].headers["idempotency-key"]


MESSAGE: dict[str, Any] = {
    "_id": "msg_1",
    "conversationId": "conv_1",
    "createdAt": 1734789600000,
    "createdById": "user_1",
    "role": "assistant",
    "parts": [
        {"kind": "text", "text": "Hello"},
        {"kind": "file", "file": {"bytes": "aGk=", "mimeType": "text/plain"}, "metadata": {"a": 1}},
        {"kind": "file", "file": {"uri": "https://example.com/a"}},
        {"kind": "tool_result", "tool_call_id": "call_1", "result": None},
        {"kind": "error", "error": "no", "code": 3},
        {"kind": "hologram", "rays": [1]},
    ],
}


def test_messages_and_their_parts() -> None:
    body = {**CONVERSATION, "messages": [MESSAGE]}
    found = structure(body, ConversationWithMessages)
    assert found.messages is not None
    (message,) = found.messages
    assert message == Message(
        id="msg_1",
        conversation_id="conv_1",
        created_at=1734789600000,
        created_by_id="user_1",
        role=MessageRole.ASSISTANT,
        parts=(
            TextPart(text="Hello"),
            FilePart(file=FileContent(bytes="aGk=", mime_type="text/plain"), metadata={"a": 1}),
            FilePart(file=FileContent(uri="https://example.com/a")),
            ToolResultPart(tool_call_id="call_1", result=None),
            ErrorPart(error="no", code=3),
            UnknownPart(kind="hologram", extra={"rays": [1]}),
        ),
    )
    assert message.created.year == 2024
    contents = [part.content for part in message.parts if isinstance(part, FilePart)]
    assert contents == [b"hi", "https://example.com/a"]
    unknown = message.parts[-1]
    assert isinstance(unknown, UnknownPart)
    assert unknown.json == {"kind": "hologram", "rays": [1]}
    assert unstructure(found) == body


@pytest.mark.parametrize("file", [FileContent(), FileContent(bytes="?"), FileContent(bytes="é")])
def test_a_file_without_content_is_a_typed_error(file: FileContent) -> None:
    with pytest.raises(DecodeError, match=r"\$\.file"):
        _ = FilePart(file=file).content


def test_errors_in_parts_have_their_path() -> None:
    parts = [{"kind": "text", "text": 1}, {"text": "x"}, 3, {"kind": ["text"]}]
    body = {**CONVERSATION, "messages": [{**MESSAGE, "parts": parts}]}
    with pytest.raises(DecodeError) as raised:
        structure(body, ConversationWithMessages)
    assert [str(fault) for fault in raised.value.faults] == [
        "$.messages[0].parts[0].text: expected a string, got a number",
        "$.messages[0].parts[1].kind: missing",
        "$.messages[0].parts[2]: expected an object, got a number",
        "$.messages[0].parts[3].kind: expected a string, got a list",
    ]


def test_after_a_reset_a_delete_is_repeated_but_not_an_update(variant: Variant) -> None:
    with ScriptedServer([HANG_UP]) as server, pytest.raises(ConversationsError) as raised:
        variant.run(
            call("update", "a", display_name="x"), world=World(), api_key=KEY, base_url=server.url
        )
    assert (raised.value.delivery, len(server.seen)) == (Delivery.UNKNOWN, 1)
    with ScriptedServer([HANG_UP, answer(204, b"")]) as server:
        variant.run(call("delete", "a"), world=World(), api_key=KEY, base_url=server.url)
    assert len(server.seen) == 2
