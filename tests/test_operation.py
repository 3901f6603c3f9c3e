"""Requests, replies and operations as values, by literal equality."""

from types import NoneType
from typing import Any

import pytest

from conversations_client import Conversation, ConversationKind, DecodeError, Delivery, Timeout
from conversations_client._base.headers import Headers
from conversations_client._calls.operation import (
    JSON_SUCCESS,
    NO_CONTENT,
    STREAM_SUCCESS,
    Operation,
    Reply,
    Request,
    Success,
    any_success,
    is_throttled,
)

BODY = b'{"kind":"conversation","displayName":"a","createdAt":1,"updatedAt":2}'


def reply(
    status: int, body: bytes = b"", *, retry_after: str | None = None, problem: str | None = None
) -> Reply:
    headers = Headers([] if retry_after is None else [("Retry-After", retry_after)])
    return Reply(
        status=status, headers=headers, body=body, received_at=1000.0, body_problem=problem
    )


def request(template: str) -> Request:
    return Request(method="GET", template=template, path=template)


FIRST, SECOND = request("/first"), request("/second")
BOTH = Operation(FIRST, NoneType, NO_CONTENT, alternate=SECOND)


def test_a_request_has_only_its_method_and_path_by_default() -> None:
    plain = request("/first")
    assert plain == Request(
        method="GET",
        template="/first",
        path="/first",
        query=(),
        body=None,
        idempotency_key=None,
        streams=False,
        caller_handles_throttling=False,
        timeout=None,
        extra_headers=(),
    )


def test_a_request_shows_no_body_no_key_and_no_headers() -> None:
    sent = Request(
        method="POST",
        template="/a",
        path="/a",
        query=(("limit", "1"),),
        body=b"private",
        idempotency_key="private",
        timeout=Timeout(total=1.0),
        extra_headers=(("x-private", "private"),),
    )
    assert "private" not in repr(sent)
    assert "query=(('limit', '1'),)" in repr(sent)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v2/a", "GET /v2/a"),
        (f"/{'x' * 100}/b", f"GET /{'x' * 100}/b"),
        (f"/{'x' * 101}/{'y' * 500}", f"GET /{'x' * 100}…/{'y' * 100}…"),
    ],
)
def test_the_name_of_a_request_is_short(path: str, text: str) -> None:
    assert str(Request(method="GET", template="/", path=path)) == text


def test_a_reply_shows_no_headers_and_no_body() -> None:
    shown = repr(reply(200, b"private", retry_after="private"))
    assert shown == "Reply(status=200, received_at=1000.0, body_problem=None)"


# Each row: a status, then whether it is a success and whether it is throttled, and its delivery,
# without and with Retry-After.
UNKNOWN, REFUSED = Delivery.UNKNOWN, Delivery.REFUSED
STATUSES: list[tuple[int, bool, bool, bool, Delivery, Delivery]] = [
    (199, False, False, False, UNKNOWN, UNKNOWN),
    (200, True, False, False, UNKNOWN, UNKNOWN),
    (299, True, False, False, UNKNOWN, UNKNOWN),
    (300, False, False, False, UNKNOWN, UNKNOWN),
    (307, False, False, False, UNKNOWN, UNKNOWN),
    (399, False, False, False, UNKNOWN, UNKNOWN),
    (400, False, False, False, REFUSED, REFUSED),
    (407, False, False, False, REFUSED, REFUSED),
    (408, False, False, False, UNKNOWN, UNKNOWN),
    (409, False, False, False, REFUSED, REFUSED),
    (424, False, False, False, REFUSED, REFUSED),
    (425, False, True, True, REFUSED, REFUSED),
    (426, False, False, False, REFUSED, REFUSED),
    (428, False, False, False, REFUSED, REFUSED),
    (429, False, True, True, REFUSED, REFUSED),
    (430, False, False, False, REFUSED, REFUSED),
    (499, False, False, False, REFUSED, REFUSED),
    (500, False, False, False, UNKNOWN, UNKNOWN),
    (502, False, False, False, UNKNOWN, UNKNOWN),
    (503, False, False, True, UNKNOWN, REFUSED),
    (504, False, False, False, UNKNOWN, UNKNOWN),
]


@pytest.mark.parametrize(
    ("status", "success", "throttled", "throttled_until", "delivery", "delivery_until"), STATUSES
)
def test_what_a_status_means(  # noqa: PLR0917 - the columns of the table
    status: int,
    success: bool,
    throttled: bool,
    throttled_until: bool,
    delivery: Delivery,
    delivery_until: Delivery,
) -> None:
    plain, until = reply(status), reply(status, retry_after="0")
    assert (plain.is_success, until.is_success) == (success, success)
    assert (plain.is_throttled, until.is_throttled) == (throttled, throttled_until)
    assert (plain.delivery, until.delivery) == (delivery, delivery_until)
    assert (is_throttled(status, None), is_throttled(status, 0.0)) == (throttled, throttled_until)


def test_retry_after_counts_from_the_arrival_of_the_reply() -> None:
    assert reply(503, retry_after="Thu, 01 Jan 1970 00:16:50 GMT").retry_after == 10.0
    assert reply(503, retry_after="soon").retry_after is None
    assert reply(503).retry_after is None


PROBLEM = "could not be decompressed"
SUCCESSES: list[tuple[Success, Reply, str | None]] = [
    (JSON_SUCCESS, reply(200, b"{}"), None),
    (JSON_SUCCESS, reply(201, b"{}"), None),
    (JSON_SUCCESS, reply(202, b"{}"), "202 is not a documented success status"),
    (JSON_SUCCESS, reply(204), "204 is not a documented success status"),
    (JSON_SUCCESS, reply(200, problem=PROBLEM), PROBLEM),
    (JSON_SUCCESS, reply(202, problem=PROBLEM), "202 is not a documented success status"),
    (NO_CONTENT, reply(204), None),
    (NO_CONTENT, reply(204, b" "), "expected no body"),
    (NO_CONTENT, reply(204, problem=PROBLEM), PROBLEM),
    (NO_CONTENT, reply(200), "200 is not a documented success status"),
    (STREAM_SUCCESS, reply(200), None),
    (STREAM_SUCCESS, reply(201), "201 is not a documented success status"),
    (any_success(dict), reply(299, b"{}"), None),
    (any_success(dict), reply(200, problem=PROBLEM), PROBLEM),
    (any_success(NoneType), reply(202), None),
    (any_success(NoneType), reply(200, b"{}"), "expected no body"),
]


@pytest.mark.parametrize(("success", "given", "problem"), SUCCESSES)
def test_a_success_has_its_status_and_its_body(
    success: Success, given: Reply, problem: str | None
) -> None:
    if problem is None:
        success.check(given)
        return
    with pytest.raises(DecodeError) as raised:
        success.check(given)
    assert [(fault.path, fault.problem) for fault in raised.value.faults] == [("$", problem)]


def test_an_operation_reads_its_class() -> None:
    assert Operation(FIRST, Conversation).read(reply(200, BODY)) == Conversation(
        kind=ConversationKind.CONVERSATION, display_name="a", created_at=1, updated_at=2
    )
    with pytest.raises(DecodeError, match="documented success status"):
        Operation(FIRST, Conversation).read(reply(203, BODY))


def test_an_operation_without_a_body_reads_none() -> None:
    assert Operation(FIRST, NoneType, NO_CONTENT).read(reply(204)) is None
    with pytest.raises(DecodeError, match="expected no body"):
        Operation(FIRST, NoneType, NO_CONTENT).read(reply(204, b"null"))


@pytest.mark.parametrize(
    ("operation", "missing", "expected"),
    [
        (BOTH, set[str](), BOTH),
        (BOTH, {"/first"}, Operation(SECOND, NoneType, NO_CONTENT, alternate=FIRST)),
        (BOTH, {"/second"}, BOTH),
        (BOTH, {"/first", "/second"}, BOTH),
        (Operation(FIRST, NoneType), {"/first"}, Operation(FIRST, NoneType)),
    ],
)
def test_an_operation_starts_at_the_path_that_is_not_missing(
    operation: Operation[Any], missing: set[str], expected: Operation[Any]
) -> None:
    assert operation.at_known_path(missing) == expected


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404, 405])
def test_an_operation_continues_once_at_its_alternate_path(status: int) -> None:
    following = BOTH.at_alternate_path(reply(status))
    assert following == Operation(SECOND, NoneType, NO_CONTENT)
    assert following is not None
    assert following.at_alternate_path(reply(status)) is None


@pytest.mark.parametrize(
    "status", [200, 300, 303, 304, 305, 306, 309, 400, 401, 403, 406, 410, 500]
)
def test_other_statuses_do_not_try_the_alternate_path(status: int) -> None:
    assert BOTH.at_alternate_path(reply(status)) is None


def test_values_are_immutable() -> None:
    for value, name in (
        (FIRST, "path"),
        (reply(200), "status"),
        (JSON_SUCCESS, "statuses"),
        (BOTH, "request"),
    ):
        with pytest.raises(AttributeError):
            setattr(value, name, None)
