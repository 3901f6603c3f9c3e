"""HTTP dates are UTC everywhere."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from scripted import ScriptedServer, answer
from variants import KEY, Variant, World

from conversations_client import Headers
from conversations_client._base.http_dates import parse_http_date
from conversations_client._calls.retry_after import seconds_to_wait

ZONES = ["Asia/Tokyo", "America/New_York", "UTC"]
NOW = 1_700_000_000  # Tue, 14 Nov 2023 22:13:20 GMT
FORMS = {
    "IMF-fixdate": "Tue, 14 Nov 2023 22:13:29 GMT",
    "RFC 850": "Tuesday, 14-Nov-23 22:13:29 GMT",
    "asctime": "Tue Nov 14 22:13:29 2023",
    "asctime of a short day": "Tue Nov  7 22:13:29 2023",
    "UTC": "Tue, 14 Nov 2023 22:13:29 UTC",
    "no zone": "Tue, 14 Nov 2023 22:13:29",
    "-0000": "Tue, 14 Nov 2023 22:13:29 -0000",
    "an offset": "Wed, 15 Nov 2023 07:13:29 +0900",
}


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form_is_utc(zone: str, text: str) -> None:
    day = 7 if "Nov  7" in text else 14
    assert parse_http_date(text) == datetime(2023, 11, day, 22, 13, 29, tzinfo=UTC)
    assert Headers([("Date", text)]).get_date("DATE") == parse_http_date(text)
    assert seconds_to_wait(text, now=NOW) == (9.0 if day == 14 else 0.0)


@pytest.mark.parametrize("name", ["IMF-fixdate", "RFC 850", "asctime"])
def test_a_retry_waits_until_the_date(zone: str, variant: Variant, name: str) -> None:
    world = World()
    with ScriptedServer([answer(429, {}, Retry_After=FORMS[name]), answer()]) as server:
        variant.run(
            lambda c: c.conversations.create(), world=world, api_key=KEY, base_url=server.url
        )
    assert world.pauses == [9.0]


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("Sunday, 06-Nov-94 08:49:37 GMT", 1994),
        ("Sunday, 06-Nov-00 08:49:37 GMT", 2000),
        ("Monday, 06-Nov-73 08:49:37 GMT", 2073),
        ("Monday, 06-Nov-74 08:49:37 GMT", 1974),
    ],
)
def test_a_two_digit_year_is_at_most_fifty_years_ahead(text: str, year: int) -> None:
    found = parse_http_date(text, now=NOW)
    assert found is not None
    assert found.year == year
    assert parse_http_date(text) is not None


def test_a_leap_second_is_the_last_of_its_minute() -> None:
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == datetime(
        2016, 12, 31, 23, 59, 59, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "1e9", "-1", "9" * 5000, "7, 9", "2023-11-14T22:13:29Z", "Tue, 14 Foo 2023 1:2:3",
        "Tue, 99 Nov 2023 22:13:29 GMT", "Tue, 14 Nov 2023 25:13:29 GMT", "Tue, 14 Nov 2023",
        "Tue, 14 Nov 2023 22:13:29 +99999999999999", "Tue, 14 Nov 99999 22:13:29 GMT", "\0", "x" * 10**5,
    ],
)  # fmt: skip
def test_invalid_dates(text: str) -> None:
    assert parse_http_date(text) is None
    assert Headers([("Date", text)]).get_date("date") is None
    assert Headers().get_date("date") is None


PROGRAM = """
from conversations_client.cli._commands.doctor_checks import check_clock
from conversations_client import Headers, RawResponse
answer = RawResponse(parsed=None, status=200, headers=Headers([("Date", {date!r})]),
                     request_id=None, attempts=1, elapsed=0.0)
print(check_clock(answer, now={now}).verdict)
"""


@pytest.mark.parametrize("name", ["IMF-fixdate", "RFC 850", "asctime"])
@pytest.mark.parametrize("zone_name", ZONES)
def test_the_doctor_compares_clocks_in_utc(zone_name: str, name: str) -> None:
    program = PROGRAM.format(date=FORMS[name], now=NOW)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program],
        env={**os.environ, "TZ": zone_name},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "ok\n"
