"""Retry decisions, by literal equality."""

import math
from typing import Any

import pytest
from attrs import evolve

from conversations_client import ConfigurationError, Retry
from conversations_client._base.headers import Headers
from conversations_client._calls.operation import Outcome, Reply, Request
from conversations_client._calls.retry import Resend, Stop, decide, next_attempt
from conversations_client._calls.retry_after import seconds_to_wait
from conversations_client.errors import (
    ConnectError,
    DeadlineError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    ResponseTooLargeError,
    TLSError,
)


def replied(status: int, retry_after: str | None = None) -> Reply:
    headers = Headers([] if retry_after is None else [(b"Retry-After", retry_after.encode())])
    return Reply(status=status, headers=headers, body=b"", received_at=0.0)


BROKEN = DisconnectError("", delivery=Delivery.UNKNOWN)
SILENT = IdleTimeoutError("", delivery=Delivery.UNKNOWN)
UNSENT = ConnectError("")
AGAIN: list[Resend | Stop] = [Resend(0.375), Resend(0.75), Stop("Gave up after 3 attempts.")]
NEVER: list[Resend | Stop] = [Stop(), Stop(), Stop()]

# Each row: the outcome, then the decisions after attempts 1 to 3 for POST and for GET.
TABLE: list[tuple[Outcome, list[Resend | Stop], list[Resend | Stop]]] = [
    (replied(400), NEVER, NEVER),
    (replied(401), NEVER, NEVER),
    (replied(404), NEVER, NEVER),
    (replied(408), NEVER, AGAIN),
    (replied(409), NEVER, NEVER),
    (replied(422), NEVER, NEVER),
    (replied(425), AGAIN, AGAIN),
    (replied(429), AGAIN, AGAIN),
    (replied(429, "2"), [Resend(2.0), Resend(2.0), AGAIN[2]], [Resend(2.0), Resend(2.0), AGAIN[2]]),
    (replied(429, "nonsense"), AGAIN, AGAIN),
    (evolve(replied(429), was_sent_before=True), NEVER, AGAIN),
    (replied(499), NEVER, NEVER),
    (replied(500), NEVER, AGAIN),
    (replied(502), NEVER, AGAIN),
    (replied(503), NEVER, AGAIN),
    (replied(503, "0"), [Resend(0.0), Resend(0.0), AGAIN[2]], [Resend(0.0), Resend(0.0), AGAIN[2]]),
    (replied(504), NEVER, AGAIN),
    (replied(599), NEVER, AGAIN),
    (replied(600), NEVER, NEVER),
    (replied(302), NEVER, NEVER),
    (UNSENT, AGAIN, AGAIN),
    (BROKEN, NEVER, AGAIN),
    (SILENT, NEVER, AGAIN),
    (TLSError(""), NEVER, NEVER),
    (DeadlineError(""), NEVER, NEVER),
    (ResponseTooLargeError(""), NEVER, NEVER),
]


def decisions(request: Request, outcome: Outcome, retry: Retry) -> list[Resend | Stop]:
    return [
        decide(retry, request, outcome, attempt=attempt, jitter=0.5, remaining=math.inf)
        for attempt in (1, 2, 3)
    ]


def request(method: str) -> Request:
    return Request(method=method, template="/", path="/", idempotency_key="key")


@pytest.mark.parametrize(("outcome", "post", "get"), TABLE)
def test_the_table(outcome: Outcome, post: list[Resend | Stop], get: list[Resend | Stop]) -> None:
    assert decisions(request("POST"), outcome, Retry()) == post
    assert decisions(request("PATCH"), outcome, Retry()) == post
    for method in ("GET", "DELETE", "PUT"):
        assert decisions(request(method), outcome, Retry()) == get
    trusting = Retry(trust_idempotency_key=True)
    assert decisions(request("POST"), outcome, trusting) == get


@pytest.mark.parametrize(
    ("method", "key", "expected"),
    [
        ("POST", None, AGAIN),  # the client generates a key for each
        ("POST", "key", AGAIN),
        ("PATCH", None, NEVER),
        ("PATCH", "key", AGAIN),
    ],
)
def test_only_a_key_makes_a_request_repeatable(
    method: str, key: str | None, expected: list[Resend | Stop]
) -> None:
    sent = Request(method=method, template="/", path="/", idempotency_key=key)
    assert decisions(sent, BROKEN, Retry(trust_idempotency_key=True)) == expected


def test_the_reason_counts_the_attempts() -> None:
    decision = decide(
        Retry(attempts=2), request("POST"), UNSENT, attempt=2, jitter=0.0, remaining=math.inf
    )
    assert decision == Stop("Gave up after 2 attempts.")


def test_the_reason_without_a_second_attempt() -> None:
    decision = decide(
        Retry(attempts=1), request("POST"), UNSENT, attempt=1, jitter=0.0, remaining=math.inf
    )
    assert decision == Stop()


@pytest.mark.parametrize(
    ("attempt", "jitter", "pause"),
    [(1, 0.0, 0.25), (1, 1.0, 0.5), (4, 1.0, 4.0), (5, 1.0, 8.0), (9_999, 0.0, 4.0)],
)
def test_delays_double_up_to_the_maximum(attempt: int, jitter: float, pause: float) -> None:
    decision = decide(
        Retry(attempts=10_000),
        request("POST"),
        UNSENT,
        attempt=attempt,
        jitter=jitter,
        remaining=math.inf,
    )
    assert decision == Resend(pause)


@pytest.mark.parametrize("retry", [Retry(wait_initial=9), Retry(wait_initial=9, wait_max=8)])
def test_no_pause_is_longer_than_the_maximum(retry: Retry) -> None:
    assert next_attempt(retry, None, attempt=1, jitter=1.0, remaining=math.inf) == Resend(8.0)


def test_the_delay_stops_doubling_after_60_attempts() -> None:
    retry = Retry(attempts=10_000, wait_initial=2.0**-60)
    for attempt, pause in ((60, 0.5), (61, 1.0), (62, 1.0), (9_999, 1.0)):
        decision = next_attempt(retry, None, attempt=attempt, jitter=1.0, remaining=math.inf)
        assert decision == Resend(pause)


@pytest.mark.parametrize(
    ("outcome", "remaining", "decision"),
    [
        (UNSENT, -0.5, Stop("The timeout leaves no time for another attempt.")),
        (UNSENT, 0.0, Stop("The timeout leaves no time for another attempt.")),
        (replied(429, "9"), 0.0, Stop("The timeout leaves no time for another attempt.")),
        (UNSENT, 0.375, Stop("Another attempt after 0.375 s doesn't fit in the remaining 0.375 s of the timeout.")),
        (UNSENT, 0.376, Resend(0.375)),
        (replied(429, "9"), 8.0, Stop("The Retry-After of 9 s doesn't fit in the remaining 8 s of the timeout.")),
        (replied(429, "60"), math.inf, Resend(60.0)),
        (replied(429, "61"), math.inf, Stop("The Retry-After of 61 s is longer than retry_after_max=60: wait that long, or increase it.")),
    ],
)  # fmt: skip
def test_a_delay_that_exceeds_the_deadline(
    outcome: Outcome, remaining: float, decision: Resend | Stop
) -> None:
    assert (
        decide(Retry(), request("POST"), outcome, attempt=1, jitter=0.5, remaining=remaining)
        == decision
    )


@pytest.mark.parametrize(
    ("asked", "longest", "message"),
    [
        ("99.5", 9.75, "The Retry-After of 99.5 s is longer than retry_after_max=9.75"),
        ("999.7", 99.5, "The Retry-After of 1000 s is longer than retry_after_max=99.5"),
        ("86400", 3600.0, "The Retry-After of 86400 s is longer than retry_after_max=3600"),
    ],
)
def test_long_times_have_no_exponent(asked: str, longest: float, message: str) -> None:
    decision = decide(
        Retry(retry_after_max=longest),
        request("POST"),
        replied(429, asked),
        attempt=1,
        jitter=0.5,
        remaining=math.inf,
    )
    assert decision == Stop(f"{message}: wait that long, or increase it.")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("1.25", 1.25),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("999999999", 999_999_999.0),
        ("999999999999.5", 999_999_999_999.5),
        ("9" * 400, math.inf),
        ("٣", None),
        ("", None),
        ("soon", None),
        ("Thu, 99 Foo 1970 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(value, now=1000.0) == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"attempts": 1.5},
        {"attempts": True},
        {"wait_initial": -1},
        {"wait_max": math.nan},
        {"retry_after_max": math.inf},
        {"wait_initial": "1"},
        {"trust_idempotency_key": 1},
    ],
)
def test_invalid_settings_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=rf"Retry\.{next(iter(wrong))} must be"):
        Retry(**wrong)
