"""Create over real HTTP: the request, the delays and the parsed response, in every variant."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from types import NoneType
from typing import Any

import pytest
from many import run_many
from scripted import CONVERSATION, HANG_UP, ScriptedServer, answer, refused_url
from streaming import HALF, streamed
from variants import KEY, Variant, World

from conversations_client import (
    UNSET,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectError,
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationsError,
    DeadlineError,
    DecodeError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseTooLargeError,
    Retry,
    ServerError,
    StatusError,
    Timeout,
    UnprocessableEntityError,
)


def create_with(client: Any, **arguments: Any) -> Any:
    return client.conversations.create(**arguments)


EXPECTED = Conversation(
    id="conv_01jj1hdhn79xas7a01wb3hysdb",
    kind=ConversationKind.CONVERSATION,
    display_name="Product Feature Discussion",
    created_at=1734789600000,
    updated_at=1734793200000,
)


def create(client: Any) -> Any:
    return client.conversations.create(display_name="Product Feature Discussion")


def test_create_sends_its_arguments_and_returns_a_conversation(variant: Variant) -> None:
    with ScriptedServer([answer()]) as server:
        result = variant.run(create, world=World(), api_key=KEY, base_url=server.url)
    assert result == EXPECTED
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/v2/conversations")
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept-encoding"] == "gzip"
    assert seen.headers["idempotency-key"] == "made-up-1"
    assert seen.headers["user-agent"].startswith("conversations-client/")
    assert json.loads(seen.body) == {"displayName": "Product Feature Discussion"}


BODIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"display_name": ""}, {"displayName": ""}),
    ({"display_name": "é" * 100}, {"displayName": "é" * 100}),
    ({"metadata": {}}, {"metadata": {}}),
    ({"metadata": {"entity_id": None}}, {"metadata": {"entityId": None}}),
    (
        {"metadata": {"entity_id": "a", "generating_title": False, "model": None}},
        {"metadata": {"entityId": "a", "generatingTitle": False, "model": None}},
    ),
    (
        {"metadata": ConversationMetadata(entity_id="a", extra={"later": [1]})},
        {"metadata": {"entityId": "a", "later": [1]}},
    ),
    ({"project_id": "prj_1"}, {"projectId": "prj_1"}),
    ({"project_id": None}, {}),
    ({"display_name": UNSET, "metadata": UNSET, "project_id": UNSET}, {}),
]


@pytest.mark.parametrize(("arguments", "body"), BODIES)
def test_bodies(variant: Variant, arguments: dict[str, Any], body: dict[str, Any]) -> None:
    with ScriptedServer([answer()]) as server:
        variant.run(
            lambda client: client.conversations.create(**arguments),
            api_key=KEY,
            base_url=server.url,
        )
    assert json.loads(server.seen[0].body) == body


def test_the_project_of_the_client_is_the_default_of_calls(variant: Variant) -> None:
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {"projectId": "prj_1"}),
        ({"project_id": "prj_2"}, {"projectId": "prj_2"}),
        ({"project_id": None}, {}),
    ]
    for arguments, expected in rows:
        with ScriptedServer([answer()]) as server:
            variant.run(
                partial(create_with, **arguments),
                api_key=KEY,
                base_url=server.url + "/prefix/",
                project_id="prj_1",
            )
        assert json.loads(server.seen[0].body) == expected
        assert server.seen[0].target == "/prefix/v2/conversations"


def test_the_callers_idempotency_key_is_sent(variant: Variant) -> None:
    with ScriptedServer([answer()]) as server:
        variant.run(
            lambda client: client.conversations.create(idempotency_key="mine"),
            api_key=KEY,
            base_url=server.url,
        )
    assert server.seen[0].headers["idempotency-key"] == "mine"


Script = list[bytes | list[bytes]]
RETRIED: list[tuple[Script, Retry, list[float]]] = [
    ([answer(429, {}), answer()], Retry(), [0.375]),
    ([answer(425, {}), answer(429, {}), answer()], Retry(), [0.375, 0.75]),
    ([answer(429, {}, Retry_After="7"), answer()], Retry(), [7.0]),
    ([answer(503, {}, Retry_After="1.5"), answer()], Retry(), [1.5]),
    (
        [answer(503, {}, Retry_After="Tue, 14 Nov 2023 22:13:29 GMT"), answer()],
        Retry(),
        [9.0],
    ),
    ([HANG_UP, answer()], Retry(trust_idempotency_key=True), [0.375]),
    (
        [answer(500, {}), answer(408, {}), answer()],
        Retry(trust_idempotency_key=True),
        [0.375, 0.75],
    ),
]


@pytest.mark.parametrize(("script", "retry", "pauses"), RETRIED)
def test_a_request_is_repeated_with_the_same_key(
    variant: Variant, script: Script, retry: Retry, pauses: list[float]
) -> None:
    world = World()
    with ScriptedServer(script) as server:
        result = variant.run(create, world=world, api_key=KEY, base_url=server.url, retry=retry)
    assert result == EXPECTED
    assert world.pauses == pauses
    assert len(server.seen) == len(script)
    assert len({(s.headers["idempotency-key"], s.body, s.target) for s in server.seen}) == 1


Failure = tuple[Script, dict[str, Any], type[ConversationsError], Delivery, int, str]
FAILURES: list[Failure] = [
    ([answer(400, {"message": "no"})], {}, BadRequestError, Delivery.REFUSED, 1, "400 Bad Request: no."),
    ([answer(400, b"<center>The plain HTTP request was sent to HTTPS port</center>")], {}, BadRequestError, Delivery.REFUSED, 1, "400 Bad Request. The server expects encryption: begin base_url with https://."),
    ([answer(400, b"You're speaking plain HTTP to an SSL-enabled server port.")], {}, BadRequestError, Delivery.REFUSED, 1, "https://."),
    ([answer(400, b"Client sent an HTTP request to an HTTPS server.")], {}, BadRequestError, Delivery.REFUSED, 1, "https://."),
    ([answer(401, {"message": "no"})], {}, AuthenticationError, Delivery.REFUSED, 1, "ORQ_API_KEY"),
    ([answer(403, [])], {}, PermissionDeniedError, Delivery.REFUSED, 1, "permissions"),
    ([answer(404, b"<html>")], {}, NotFoundError, Delivery.REFUSED, 1, "Check base_url"),
    ([answer(409, {"message": ""})], {}, ConflictError, Delivery.REFUSED, 1, "409 Conflict."),
    ([answer(422, {"message": 1})], {}, UnprocessableEntityError, Delivery.REFUSED, 1, "422"),
    ([answer(418, b"")], {}, StatusError, Delivery.REFUSED, 1, "418"),
    ([answer(499, b"")], {}, StatusError, Delivery.REFUSED, 1, "returned 499."),
    ([answer(408, {})], {}, StatusError, Delivery.UNKNOWN, 1, "408"),
    ([answer(500, {"message": "a\nb" + "x" * 600})], {}, ServerError, Delivery.UNKNOWN, 1, "a bx"),
    ([answer(503, {})], {}, ServerError, Delivery.UNKNOWN, 1, "503"),
    ([answer(500, {"message": KEY})], {}, ServerError, Delivery.UNKNOWN, 1, ": [redacted]."),
    ([answer(307, b"", Location="http://127.0.0.1:1/")], {}, StatusError, Delivery.UNKNOWN, 1, "base_url"),
    ([answer(429, {})] * 3, {}, RateLimitError, Delivery.REFUSED, 3, "Gave up after 3 attempts."),
    ([answer(429, {})], {"retry": Retry(attempts=1)}, RateLimitError, Delivery.REFUSED, 1, "429"),
    (
        [answer(429, {}, Retry_After="61")],
        {},
        RateLimitError,
        Delivery.REFUSED,
        1,
        "The Retry-After of 61 s is longer than retry_after_max=60: wait that long, or increase it.",
    ),
    (
        [answer(429, {}, Retry_After="31")],
        {"timeout": 30},
        RateLimitError,
        Delivery.REFUSED,
        1,
        "The Retry-After of 31 s doesn't fit in the remaining 30 s of the timeout.",
    ),
    ([b"\x15\x03\x03\x00\x02\x02\x46"], {}, DisconnectError, Delivery.UNKNOWN, 1, "begin base_url with https://."),
    ([HANG_UP], {}, DisconnectError, Delivery.UNKNOWN, 1, "POST /v2/conversations: the connection"),
    ([answer(429, {}), HANG_UP], {}, DisconnectError, Delivery.UNKNOWN, 2, "broke"),
    ([b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{", HANG_UP], {"timeout": Timeout(idle=0.5)}, IdleTimeoutError, Delivery.UNKNOWN, 1, "idle"),
    ([answer(body=b"x" * 101)], {"max_response_bytes": 100}, ResponseTooLargeError, Delivery.UNKNOWN, 1, "max_response_bytes=100"),
    (
        [answer(body=gzip.compress(b"x" * 10**7), Content_Encoding="gzip")],
        {"max_response_bytes": 100},
        ResponseTooLargeError,
        Delivery.UNKNOWN,
        1,
        "larger",
    ),
    ([answer(Content_Encoding="br")], {}, DecodeError, Delivery.UNKNOWN, 1, "was not requested"),
    ([answer(Content_Encoding="gzip")], {}, DecodeError, Delivery.UNKNOWN, 1, "could not be decompressed"),
    ([answer(body=gzip.compress(b"{}")[:-4], Content_Encoding="gzip")], {}, DecodeError, Delivery.UNKNOWN, 1, "is incomplete"),
    ([answer(body=gzip.compress(b"{}") + b"z", Content_Encoding="gzip")], {}, DecodeError, Delivery.UNKNOWN, 1, "is incomplete"),
    ([answer(body=b"")], {}, DecodeError, Delivery.UNKNOWN, 1, "$: not JSON"),
    ([answer(body=b"<p>", Content_Type="text/html")], {}, DecodeError, Delivery.UNKNOWN, 1, "text/html, which doesn't match the API's documentation: $: not JSON: Expecting value at byte 0 of 3. This looks like a web page, perhaps a login page: check base_url."),
    ([answer(204, b"")], {}, DecodeError, Delivery.UNKNOWN, 1, "204"),
    ([answer(body=[CONVERSATION])], {}, DecodeError, Delivery.UNKNOWN, 1, "$: expected an object, got a list"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "options", "error", "delivery", "attempts", "words"), FAILURES)
def test_failures(  # noqa: PLR0917 - the columns of the table
    variant: Variant,
    script: Script,
    options: dict[str, Any],
    error: type[ConversationsError],
    delivery: Delivery,
    attempts: int,
    words: str,
) -> None:
    with ScriptedServer(script) as server, pytest.raises(ConversationsError) as raised:
        variant.run(create, world=World(), api_key=KEY, base_url=server.url, **options)
    assert type(raised.value) is error
    assert raised.value.delivery is delivery
    assert raised.value.may_have_acted is (delivery is Delivery.UNKNOWN)
    assert raised.value.attempts == attempts == len(server.seen)
    assert words in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_status_error_has_the_response(variant: Variant) -> None:
    reply = answer(429, {"message": "slow"}, Retry_After="61", X_Request_Id="req_1")
    with ScriptedServer([reply]) as server, pytest.raises(RateLimitError) as raised:
        variant.run(create, api_key=KEY, base_url=server.url)
    error = raised.value
    assert (error.status, error.service_message, error.retry_after) == (429, "slow", 61.0)
    assert (error.request_id, error.body) == ("req_1", b'{"message": "slow"}')
    assert error.headers["RETRY-AFTER"] == "61"


ONE = "/v2/conversations/{conversation_id}"
NAMED: list[tuple[Callable[[Any], Any], bytes, str, str]] = [
    (lambda c: c.create(), answer(422, {}), "POST", "/v2/conversations"),
    (lambda c: c.list().first(), answer(422, {}), "GET", "/v2/conversations/"),
    (lambda c: c.retrieve("conv_1"), answer(200, {}), "GET", ONE),
    (lambda c: c.update("conv_1", display_name="a"), HANG_UP, "PATCH", ONE),
    (lambda c: c.delete("conv_1"), answer(403, {}), "DELETE", ONE),
    (lambda c: c.generate_name("conv_1", context="a"), HANG_UP, "POST", f"{ONE}/generate-name"),
    (
        lambda c: c.responses.create("conv_1", message="a", model="b/c"),
        answer(400, {}),
        "POST",
        f"{ONE}/responses",
    ),
    (
        lambda c: c.responses.create("conv_1", message="a", model="b/c"),
        streamed(HALF),
        "POST",
        f"{ONE}/responses",
    ),
]


@pytest.mark.parametrize(("call", "reply", "method", "template"), NAMED)
def test_an_error_names_its_request(
    variant: Variant, call: Callable[[Any], Any], reply: bytes, method: str, template: str
) -> None:
    with ScriptedServer([reply]) as server, pytest.raises(ConversationsError) as raised:
        variant.run(
            lambda client: call(client.conversations),
            api_key=KEY,
            base_url=server.url,
            retry=Retry(attempts=1),
        )
    assert (raised.value.method, raised.value.template) == (method, template)


def test_a_custom_request_and_a_failed_outcome_name_their_request(variant: Variant) -> None:
    refused = answer(422, {})
    with ScriptedServer([refused] * 2) as server:
        options: dict[str, Any] = {"base_url": server.url}
        with pytest.raises(UnprocessableEntityError) as raised:
            variant.run(
                lambda c: c.request("PUT", "/v2/other", returns=NoneType), api_key=KEY, **options
            )
        found = run_many(variant, "delete_many", ["conv_1", ""], client=options)
    sent, invalid = sorted(found, key=lambda outcome: outcome.index)
    assert (raised.value.method, raised.value.template) == ("PUT", "/v2/other")
    assert (sent.error.method, sent.error.template) == ("DELETE", ONE)
    assert (invalid.error.method, invalid.error.template) == (None, None)


def test_a_decode_error_names_every_path(variant: Variant) -> None:
    body = {**CONVERSATION, "displayName": None, "createdAt": "1", "metadata": {"model": 1}}
    with ScriptedServer([answer(body=body)]) as server, pytest.raises(DecodeError) as raised:
        variant.run(create, api_key=KEY, base_url=server.url)
    assert [str(fault) for fault in raised.value.faults] == [
        "$.displayName: expected a string, got null",
        "$.createdAt: expected a number, got a string",
        "$.metadata.model: expected a string, got a number",
    ]
    assert (raised.value.status, json.loads(raised.value.body)) == (201, body)


def test_a_compressed_response_is_read(variant: Variant) -> None:
    body = gzip.compress(json.dumps(CONVERSATION).encode())
    with ScriptedServer([answer(body=body, Content_Encoding="gzip")]) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url) == EXPECTED


def test_a_refused_connection_is_unsent_and_tried_again(variant: Variant) -> None:
    world = World()
    with refused_url() as url, pytest.raises(ConnectError) as raised:
        variant.run(create, world=world, api_key=KEY, base_url=url)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 3)
    assert world.pauses == [0.375, 0.75]


def test_a_silent_service_times_out_at_the_deadline(variant: Variant) -> None:
    with (
        ScriptedServer([[b"HTTP/1.1 201 Created\r\n"]]) as server,
        pytest.raises(DeadlineError) as raised,
    ):
        variant.run(create, api_key=KEY, base_url=server.url, timeout=1)
    assert raised.value.delivery is Delivery.UNKNOWN
    assert "its timeout of 1 s" in str(raised.value)


def test_without_any_timeout(variant: Variant) -> None:
    unlimited = Timeout(total=None, connect=None, idle=None)
    with ScriptedServer([answer()]) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url, timeout=unlimited) == EXPECTED


def test_connections_are_reused(variant: Variant) -> None:
    with ScriptedServer([answer()] * 3) as server:
        if variant.name == "sync":
            variant.run(lambda c: [create(c) for _ in range(3)], api_key=KEY, base_url=server.url)
        else:

            async def thrice(client: Any) -> None:
                for _ in range(3):
                    await create(client)

            variant.run(thrice, api_key=KEY, base_url=server.url)
    assert (len(server.seen), server.connections) == (3, 1)
