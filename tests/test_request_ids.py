"""Every error with a request ID shows it in its message, once."""

from collections.abc import Callable
from typing import Any

import pytest
from injected import STACKS, made
from injected import run as run_injected
from scripted import ScriptedServer, answer
from streaming import HALF, chunk, event, head, played, streamed
from variants import KEY, Variant, World

from conversations_client import ConversationsError, DecodeError, Failed, StatusError, errors
from conversations_client._calls.endpoints import create_one_of_many
from conversations_client._client.many.pending_request import PendingRequest
from conversations_client.responses import (
    EventTooLargeError,
    ResponseFailedError,
    StreamError,
    StreamTruncatedError,
)
from conversations_client.testing import factories

ID = "req_01jj1hdhn79xas7a01wb3hysdb"
SENTENCE = f"Request ID: {ID}."


async def create(client: Any) -> Any:
    return await client.conversations.create()


async def respond(client: Any) -> Any:
    return await client.conversations.responses.create("conv_1", message="Hello", model="a/b")


async def stream(client: Any) -> Any:
    async with client.conversations.responses.stream(
        "conv_1", message="Hello", model="a/b"
    ) as opened:
        return await opened.collect()


FAILED = event("response.failed", error="Busy", code=503)
# Each row: the class of the error, the response, and the calls that raise it.
STATUS_ERRORS: list[tuple[type[ConversationsError], bytes, list[Callable[[Any], Any]]]] = [
    (errors.status_error_class(status), answer(status, X_Request_Id=ID), [create, respond])
    for status in (400, 401, 403, 404, 409, 418, 422, 429, 500)
]
TABLE: list[tuple[type[ConversationsError], bytes, list[Callable[[Any], Any]]]] = [
    *STATUS_ERRORS,
    (DecodeError, answer(201, {}, X_Request_Id=ID), [create]),
    (DecodeError, answer(201, b"<p>", Content_Type="text/html", X_Request_Id=ID), [create]),
    (ResponseFailedError, streamed(HALF, FAILED, X_Request_Id=ID), [respond, stream]),
    (StreamTruncatedError, streamed(HALF, X_Request_Id=ID), [respond, stream]),
    (StreamTruncatedError, streamed(b"data: {\n\n", X_Request_Id=ID), [respond, stream]),
    (StreamTruncatedError, head(X_Request_Id=ID) + chunk(HALF) + b"KEY\r\n", [respond, stream]),
    (StreamTruncatedError, answer(200, X_Request_Id=ID), [respond, stream]),
    (EventTooLargeError, streamed(b"x" * 99, X_Request_Id=ID), [respond, stream]),
]  # fmt: skip
CALLS = [(cls, reply, call) for cls, reply, calls in TABLE for call in calls]


def check(error: Any, cls: type[ConversationsError]) -> None:
    assert type(error) is cls
    assert error.request_id == ID
    assert str(error).count(SENTENCE) == str(error).count(ID) == 1
    assert ".." not in str(error)


@pytest.mark.parametrize(("cls", "reply", "call"), CALLS)
def test_the_message_has_the_request_id(
    variant: Variant, cls: type[ConversationsError], reply: bytes, call: Callable[[Any], Any]
) -> None:
    with ScriptedServer([reply] * 3) as server, pytest.raises(ConversationsError) as raised:
        variant.run(
            lambda client: played(client, call),
            world=World(),
            api_key=KEY,
            base_url=server.url,
            max_event_bytes=90 if cls is EventTooLargeError else 1000,
        )
    check(raised.value, cls)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(("cls", "reply", "call"), CALLS[-7:])
def test_the_message_has_the_request_id_with_an_injected_client(
    variant: Variant,
    stack: Any,
    cls: type[ConversationsError],
    reply: bytes,
    call: Callable[[Any], Any],
) -> None:
    with ScriptedServer([reply]) as server, pytest.raises(ConversationsError) as raised:
        run_injected(
            variant,
            made(stack, trust_env=False),
            call,
            base_url=server.url,
            max_event_bytes=90 if cls is EventTooLargeError else 1000,
        )
    check(raised.value, cls)


async def create_two(client: Any) -> list[ConversationsError]:
    async with client.conversations.create_many([{}, {}], max_in_flight=1) as outcomes:
        return [each.error async for each in outcomes if isinstance(each, Failed)]


@pytest.mark.parametrize(
    ("cls", "replies"),
    [
        (DecodeError, [answer(201, {}, X_Request_Id=ID)] * 2),
        (errors.BadRequestError, [answer(400, X_Request_Id=ID)] * 2),
        (errors.ServerError, [answer(500, X_Request_Id=ID)] * 2),
        (errors.RateLimitError, [answer(429, X_Request_Id=ID)] * 6),
    ],
)
def test_the_errors_of_bulk_outcomes_have_the_request_id(
    variant: Variant, cls: type[ConversationsError], replies: list[bytes]
) -> None:
    with ScriptedServer(replies) as server:
        found = variant.run(
            lambda client: played(client, create_two),
            world=World(),
            api_key=KEY,
            base_url=server.url,
        )
    assert len(found) == 2
    for error in found:
        check(error, cls)


def test_a_row_that_is_not_sent_again_keeps_its_request_id() -> None:
    other = factories.status_error(errors.RateLimitError, request_id="req_other")
    own = factories.status_error(errors.RateLimitError, request_id=ID)
    operation = create_one_of_many({}, project_id=None, new_key=lambda: "key")
    unsent = PendingRequest(index=0, item={}, operation=operation)
    assert "Request ID" not in str(unsent.unsent_error(other, 90.0, "Wait."))
    check(unsent.after(own).unsent_error(other, 90.0, "Wait."), errors.RateLimitError)


def test_the_errors_of_the_factories_have_the_request_id() -> None:
    check(factories.status_error(errors.NotFoundError, request_id=ID), errors.NotFoundError)
    without = factories.status_error(errors.NotFoundError, request_id=None)
    assert "Request ID" not in str(without)


def test_the_table_has_every_class_of_errors_with_a_request_id() -> None:
    roots: list[type[Any]] = [StatusError, StreamError, DecodeError]
    classes = {each for root in roots for each in (root, *root.__subclasses__())}
    assert classes - {StreamError} == {cls for cls, _, _ in TABLE}
