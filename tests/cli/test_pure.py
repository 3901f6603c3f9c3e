"""Pure functions of the command line."""

import pytest
from cyclopts import CycloptsError
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConversationsError,
    DeadlineError,
    Delivery,
    DisconnectError,
    Headers,
    InvalidArgumentError,
    NotFoundError,
    ServerError,
    StatusError,
)
from conversations_client.cli._display.output import Format, chosen_format
from conversations_client.cli._display.printable import one_line, printable
from conversations_client.cli._display.relative_time import relative_time
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._run import describe_failure

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (0, "just now"),
        (59_999, "just now"),
        (-59_999, "just now"),
        (MINUTE, "1 minute ago"),
        (3 * MINUTE + 59_000, "3 minutes ago"),
        (-3 * MINUTE, "in 3 minutes"),
        (HOUR - 1, "59 minutes ago"),
        (HOUR, "1 hour ago"),
        (-HOUR, "in 1 hour"),
        (DAY - 1, "23 hours ago"),
        (2 * DAY, "2 days ago"),
        (30 * DAY, "1 month ago"),
        (364 * DAY, "12 months ago"),
        (365 * DAY, "1 year ago"),
        (2_000 * 365 * DAY, "2,000 years ago"),
        (10_000 * 365 * DAY, "10,000 years ago"),
        (10_001 * 365 * DAY, "more than 10,000 years ago"),
        (1e308, "more than 10,000 years ago"),
        (-1e308, "in more than 10,000 years"),
    ],
)
def test_relative_time(ago: float, words: str) -> None:
    now = 1_734_789_600_000.0
    assert relative_time(now - ago, now=now) == words


@pytest.mark.parametrize(
    ("then", "words"),
    [(10**400, "in more than 10,000 years"), (-(10**400), "more than 10,000 years ago")],
)
def test_a_time_too_large_for_a_float(then: int, words: str) -> None:
    assert relative_time(then, now=1_734_789_600_000.0) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Füße 漢字 👩‍💻", "Füße 漢字 👩‍💻"),
        ("a\tb\r\nc\n", "a\tb\nc\n"),
        ("\x1b[31mred\x1b]0;title\x07", "�[31mred�]0;title�"),
        ("over\rwritten\x7f\x9b", "over�written��"),
        ("abc\u202ecba\u2066", "abc�cba�"),
        ("half \ud83d", "half �"),
    ],
)
def test_text_is_made_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_only_tabs_and_line_feeds_control_a_terminal(text: str) -> None:
    assert all(c.isprintable() or c in "\t\n" or ord(c) > 0x9F for c in printable(text))
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("as_json", "as_jsonl", "is_terminal", "form"),
    [
        (False, False, True, Format.PEOPLE),
        (False, False, False, Format.JSON),
        (True, False, True, Format.JSON),
        (False, True, True, Format.JSONL),
        (False, True, False, Format.JSONL),
    ],
)
def test_the_format_of_the_output(
    as_json: bool, as_jsonl: bool, is_terminal: bool, form: Format
) -> None:
    found = chosen_format(as_json=as_json, as_jsonl=as_jsonl, is_terminal=is_terminal)
    assert found is form


def status(
    cls: type[StatusError], number: int, delivery: Delivery, message: str = "no."
) -> StatusError:
    return cls(
        message,
        status=number,
        service_message=None,
        headers=Headers(()),
        body=b"",
        retry_after=None,
        delivery=delivery,
        request_id=None,
    )


def of_a_read(error: ConversationsError) -> ConversationsError:
    error.method = "GET"
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("no key"), ExitCode.USAGE),
        (InvalidArgumentError("too long"), ExitCode.USAGE),
        (status(NotFoundError, 404, Delivery.REFUSED), ExitCode.NOT_FOUND),
        (status(AuthenticationError, 401, Delivery.REFUSED), ExitCode.FAILED),
        (status(ServerError, 500, Delivery.UNKNOWN), ExitCode.UNKNOWN),
        (ConnectError("no connection"), ExitCode.UNREACHABLE),
        (DeadlineError("too long", delivery=Delivery.UNSENT), ExitCode.UNREACHABLE),
        (DisconnectError("broke", delivery=Delivery.UNKNOWN), ExitCode.UNKNOWN),
        (
            DisconnectError("PATCH /v2/conversations/conv_1: broke", delivery=Delivery.UNKNOWN),
            ExitCode.UNKNOWN,
        ),
        (
            of_a_read(DisconnectError("broke", delivery=Delivery.UNKNOWN)),
            ExitCode.UNREACHABLE,
        ),
        (
            of_a_read(status(ServerError, 500, Delivery.UNKNOWN)),
            ExitCode.FAILED,
        ),
        (ConversationsError("else"), ExitCode.FAILED),
    ],
)
def test_the_exit_code_of_an_error(error: ConversationsError, code: ExitCode) -> None:
    assert exit_code(error) is code


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            CycloptsError(msg='Unknown option: "--apikey=secret".'),
            2,
            'Unknown option: "--apikey=… See `conversations --help`.',
        ),
        (UsageError("Say it with --yes."), 2, "Say it with --yes."),
        (ConfigurationError("Pass api_key=… or not."), 2, "Pass --api-key or not."),
        (
            ConnectError("no connection: check base_url."),
            4,
            "no connection: check --base-url. Run `conversations doctor` to find the cause.",
        ),
        (
            DisconnectError("it broke", delivery=Delivery.UNKNOWN),
            5,
            "it broke. Check whether the change was made before you repeat it.",
        ),
        (
            of_a_read(
                DisconnectError(
                    "GET /v2/conversations/conv_1: it broke.", delivery=Delivery.UNKNOWN
                )
            ),
            4,
            (
                "It broke. Run `conversations doctor` to find the cause. "
                "(GET /v2/conversations/conv_1)"
            ),
        ),
        (
            of_a_read(
                status(ServerError, 500, Delivery.UNKNOWN, "GET /v2/conversations returned 500.")
            ),
            1,
            "The service returned 500. (GET /v2/conversations)",
        ),
        (
            status(
                ServerError,
                500,
                Delivery.UNKNOWN,
                "POST /v2/conversations returned 500. The service may have acted on the request: "
                "check before you send it again.",
            ),
            5,
            (
                "The service returned 500. Check whether the change was made before you repeat it. "
                "(POST /v2/conversations)"
            ),
        ),
        (OSError(28, "No space left on device"), 1, "No space left on device."),
        (OSError(2, "No such file", "a.csv"), 1, "a.csv: No such file."),
        (OSError("odd"), 1, "odd."),
        (OSError(), 1, "OSError."),
    ],
)
def test_the_message_and_exit_code_of_an_error(error: Exception, code: int, words: str) -> None:
    assert describe_failure(error) == (code, words)


def test_every_exit_code_has_a_meaning() -> None:
    assert all(code.meaning for code in ExitCode)
