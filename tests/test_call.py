"""The state of a call after each outcome, by literal equality."""

import math
from collections.abc import Callable
from functools import partial
from types import NoneType
from typing import Any

import pytest
from attrs import evolve

from conversations_client import (
    UNSET,
    ClientClosedError,
    ConnectError,
    Conversation,
    ConversationKind,
    ConversationsError,
    DeadlineError,
    DecodeError,
    Delivery,
    DisconnectError,
    RawResponse,
    Retry,
    Unset,
)
from conversations_client._base.headers import Headers
from conversations_client._base.secret import Secret
from conversations_client._calls.call import Call
from conversations_client._calls.operation import NO_CONTENT, Operation, Outcome, Reply, Request
from conversations_client.hooks import RequestInfo, ResponseInfo

KEY = "key-0123456789"
BODY = b'{"kind":"conversation","displayName":"a","createdAt":1,"updatedAt":2}'
CONVERSATION = Conversation(
    kind=ConversationKind.CONVERSATION, display_name="a", created_at=1, updated_at=2
)
UNSENT = ConnectError("nobody listens.")
BROKEN = DisconnectError("the connection broke.", delivery=Delivery.UNKNOWN)
CHECK = " The service may have acted on the request: check before you send it again."
HALF: Callable[[], float] = lambda: 0.5  # noqa: E731


def request(method: str = "POST", path: str = "/a") -> Request:
    return Request(method=method, template=path, path=path, idempotency_key="mine")


def reply(status: int, body: bytes = b"", /, **headers: str) -> Reply:
    raw = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Reply(status=status, headers=Headers(raw), body=body, received_at=0.0)


def call(
    operation: Operation[Any] | None = None,
    *,
    total: float | Unset | None = 30.0,
    missing_paths: set[str] | None = None,
    attempts: int = 3,
    is_collected: bool = False,
) -> Call[Any]:
    return Call(
        operation or Operation(request(), Conversation),
        retry=Retry(attempts=attempts),
        total=total,
        idempotency_key="key",
        api_key=Secret(KEY),
        missing_paths=set() if missing_paths is None else missing_paths,
        started=100.0,
        is_collected=is_collected,
    )


def judged(one: Call[Any], *outcomes: Outcome, now: float = 100.0) -> list[float | None]:
    return [one.judge(outcome, now=now, jitter=HALF) for outcome in outcomes]


def test_a_call_starts_with_its_deadline_and_without_attempts() -> None:
    assert (call().deadline, call().attempts, call().idempotency_key) == (130.0, 0, "key")
    assert call(total=None).deadline == math.inf
    assert call(total=UNSET).deadline == 160.0


@pytest.mark.parametrize(
    ("total", "is_collected", "is_limited"),
    [
        (5, True, True),
        (None, True, True),
        (UNSET, True, False),
        (5, False, False),
        (UNSET, False, False),
    ],
)
def test_a_total_limits_the_body_of_a_stream_if_it_is_set_and_the_caller_waits_for_the_body(
    total: float | Unset | None, *, is_collected: bool, is_limited: bool
) -> None:
    assert call(total=total, is_collected=is_collected).is_body_limited is is_limited


@pytest.mark.parametrize(
    ("outcomes", "pauses"),
    [
        ([reply(200)], [None]),
        ([reply(299)], [None]),
        ([reply(400)], [None]),
        ([reply(429), reply(429), reply(429)], [0.375, 0.75, None]),
        ([UNSENT, reply(200)], [0.375, None]),
        ([BROKEN], [None]),
    ],
)
def test_the_delays_between_attempts(outcomes: list[Outcome], pauses: list[float | None]) -> None:
    one = call()
    assert (judged(one, *outcomes), one.attempts) == (pauses, len(outcomes))


def test_the_last_reply_is_that_of_the_last_attempt() -> None:
    one, throttled = call(), reply(429)
    replies = [one.last_reply]
    for outcome in (throttled, UNSENT):
        judged(one, outcome)
        replies.append(one.last_reply)
    assert replies == [None, throttled, None]


def test_a_delay_must_end_before_the_deadline() -> None:
    assert judged(call(), UNSENT, now=129.624) == [0.375]
    assert judged(call(), UNSENT, now=129.625) == [None]


PATHS = Operation(
    request("GET", "/first"), NoneType, NO_CONTENT, alternate=request("GET", "/second")
)


def test_a_missing_path_is_recorded_and_the_alternate_path_is_tried() -> None:
    missing: set[str] = set()
    one = call(PATHS, missing_paths=missing)
    assert judged(one, reply(404)) == [0.0]
    assert missing == {"/first"}
    assert one.operation.request.path == "/second"
    assert judged(one, reply(404)) == [None]
    assert missing == {"/first"}
    assert call(PATHS, missing_paths=missing).operation.request.path == "/second"


def test_the_alternate_path_is_only_for_a_missing_path() -> None:
    missing: set[str] = set()
    one = call(PATHS, missing_paths=missing)
    assert judged(one, reply(429), UNSENT, reply(204)) == [0.375, 0.75, None]
    assert (one.operation, missing) == (PATHS, set())


def info(attempt: int) -> RequestInfo:
    return RequestInfo(
        method="POST", template="/a", path="/a", attempt=attempt, idempotency_key="key"
    )


def test_hooks_see_the_next_attempt_and_the_last_one() -> None:
    one = call()
    assert one.request_info() == info(1)
    judged(one, reply(429))
    assert (one.request_info(), one.request_info(0)) == (info(2), info(0))
    failed = reply(500, x_request_id="req_1")
    assert one.response_info(failed, elapsed=0.5) == ResponseInfo(
        request=info(1), status=500, error=None, request_id="req_1", elapsed=0.5
    )
    assert one.response_info(BROKEN, elapsed=0.5) == ResponseInfo(
        request=info(1), status=None, error=BROKEN, request_id=None, elapsed=0.5
    )


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({}, None),
        ({"x_request_id": ""}, None),
        ({"x_request_id": "req_1"}, "req_1"),
        ({"x_request_id": f"a\x1b{KEY}"}, "a [redacted]"),
    ],
)
def test_the_request_id_is_printable_and_without_the_key(
    headers: dict[str, str], request_id: str | None
) -> None:
    assert call().request_id(reply(200, b"", **headers)) == request_id


def test_a_success_is_read() -> None:
    one = call()
    success = reply(201, BODY, x_request_id="req_1")
    judged(one, UNSENT, success)
    assert one.successful_reply(success) is success
    assert one.parsed(success) == CONVERSATION
    assert one.resolve(success, now=102.5) == RawResponse(
        parsed=CONVERSATION,
        status=201,
        headers=success.headers,
        request_id="req_1",
        attempts=2,
        elapsed=2.5,
        body=success.body,
    )
    assert hash(one.resolve(success, now=102.5)) == hash(one.resolve(success, now=102.5))
    shown = repr(one.raw_response(reply(200, b"secret", private="private"), None, now=102.5))
    assert "private" not in shown
    assert "secret" not in shown
    assert "status=200" in shown


GAVE_UP = " Gave up after 2 attempts."
TOO_LONG = (
    "The Retry-After of 61 s is longer than retry_after_max=60: wait that long, or increase it."
)
# Each row: the method, the outcomes, then the message of the error, and its delivery.
TOO_MANY = "Send fewer requests, or allow more attempts with retry=Retry(attempts=…)."
FAILED: list[tuple[str, list[Outcome], str, Delivery]] = [
    ("POST", [BROKEN], "POST /a: the connection broke." + CHECK, Delivery.UNKNOWN),
    ("PATCH", [BROKEN], "PATCH /a: the connection broke." + CHECK, Delivery.UNKNOWN),
    ("GET", [BROKEN, BROKEN], "GET /a: the connection broke." + GAVE_UP, Delivery.UNKNOWN),
    ("POST", [UNSENT, UNSENT], "POST /a: nobody listens." + GAVE_UP, Delivery.UNSENT),
    ("POST", [UNSENT, BROKEN], "POST /a: the connection broke." + CHECK, Delivery.UNKNOWN),
    ("POST", [reply(408)], "POST /a returned 408 Request Timeout." + CHECK, Delivery.UNKNOWN),
    ("POST", [reply(418)], "POST /a returned 418 I'm a Teapot.", Delivery.REFUSED),
    ("DELETE", [BROKEN, reply(418)], "DELETE /a returned 418 I'm a Teapot.", Delivery.UNKNOWN),
    (
        "DELETE",
        [reply(503, retry_after="61")],
        f"DELETE /a returned 503 Service Unavailable. {TOO_LONG}",
        Delivery.REFUSED,
    ),
    (
        "POST",
        [reply(429, retry_after="20")] * 2,
        (
            f"POST /a returned 429 Too Many Requests.{GAVE_UP} Wait 20 s before you try again "
            f"(Retry-After). {TOO_MANY}"
        ),
        Delivery.REFUSED,
    ),
    (
        "POST",
        [reply(503, retry_after="0.5")] * 2,
        (
            f"POST /a returned 503 Service Unavailable.{GAVE_UP} Wait 0.5 s before you try again "
            "(Retry-After). If the problem persists, contact the service's support."
        ),
        Delivery.REFUSED,
    ),
    (
        "POST",
        [reply(429, retry_after="0")] * 2,
        f"POST /a returned 429 Too Many Requests.{GAVE_UP} {TOO_MANY}",
        Delivery.REFUSED,
    ),
]


@pytest.mark.parametrize(("method", "outcomes", "message", "delivery"), FAILED)
def test_an_error_covers_all_attempts(
    method: str, outcomes: list[Outcome], message: str, delivery: Delivery
) -> None:
    one = call(Operation(request(method), Conversation), attempts=2)
    judged(one, *outcomes)
    calls: list[Callable[[Outcome], object]] = [
        one.successful_reply,
        one.parsed,
        partial(one.resolve, now=100.0),
    ]
    for raise_error in calls:
        with pytest.raises(ConversationsError) as raised:
            raise_error(outcomes[-1])
        error: Any = raised.value
        assert (str(error), error.delivery, error.attempts) == (message, delivery, len(outcomes))
        assert (error.method, error.template) == (method, "/a")


def test_a_timeout_error_names_its_limit() -> None:
    one = call(total=2.5)
    error = one.deadline_error(Delivery.REFUSED)
    assert (type(error), error.delivery) == (DeadlineError, Delivery.REFUSED)
    assert str(error) == (
        "the whole call took longer than its timeout of 2.5 s: increase Timeout(total=…) if the "
        "service needs longer."
    )
    stream = Operation(evolve(request(), streams=True), Conversation)
    limited = call(stream, total=2.5, is_collected=True).deadline_error(Delivery.UNKNOWN)
    assert str(limited) == str(error)
    for total, is_collected, seconds in ((2.5, False, "2.5"), (UNSET, True, "60")):
        head = call(stream, total=total, is_collected=is_collected)
        assert str(head.deadline_error(Delivery.UNKNOWN)) == (
            f"the wait for the first byte took longer than its timeout of {seconds} s: increase "
            "Timeout(total=…) if the service needs longer."
        )


def test_a_client_closed_between_attempts_reports_the_first_outcome() -> None:
    one = call(attempts=2)
    judged(one, UNSENT)
    error = one.closed_error(ClientClosedError("the client is closed."))
    assert str(error) == "POST /a: the client is closed."
    assert (error.delivery, error.attempts) == (Delivery.UNSENT, 1)
    assert (error.method, error.template) == ("POST", "/a")


def test_an_unreadable_success_is_an_error_with_its_body_and_without_the_key() -> None:
    one = call()
    body = f'{{"{KEY}": 1}}'.encode()
    garbled = reply(201, body, content_type="text/html", x_request_id="req_1")
    judged(one, garbled)
    with pytest.raises(DecodeError) as raised:
        one.parsed(garbled)
    error = raised.value
    assert str(error) == (
        "POST /a returned 201 with text/html, which doesn't match the API's documentation: $.kind: missing; "
        "$.displayName: missing; $.createdAt: missing; $.updatedAt: missing. "
        "This looks like a web page, perhaps a login page: check base_url. Request ID: req_1."
        + CHECK
    )
    assert (error.status, error.body, error.request_id) == (201, b'{"[redacted]": 1}', "req_1")
    assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)
    assert (error.method, error.template) == ("POST", "/a")


def test_a_path_in_a_decode_error_is_without_the_key() -> None:
    one = call(Operation(request("GET"), dict[str, int]))
    garbled = reply(200, f'{{"{KEY}": "a"}}'.encode())
    judged(one, garbled)
    with pytest.raises(DecodeError) as raised:
        one.parsed(garbled)
    assert KEY not in str(raised.value)
    assert "with no content type, which" in str(raised.value)
    assert [fault.path for fault in raised.value.faults] == ["$['[redacted]']"]
