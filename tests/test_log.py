"""Text and level of log records; no record is created without a listener."""

import logging
from typing import Any

import pytest
from many import run_many
from scripted import HANG_UP, ScriptedServer, answer
from streaming import HALF, WHOLE, event, streamed
from variants import KEY, Variant, World

from conversations_client import Client, ConversationsError, Hooks
from conversations_client._calls.call import Call
from conversations_client._engine import call_log
from conversations_client._engine.call_log import LOGGER


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger=LOGGER.name)
    return caplog


def create(client: Any) -> Any:
    return client.conversations.create(display_name="A secret plan")


def delete(client: Any) -> Any:
    return client.conversations.delete("conv_1")


FAILED = event("response.failed", error="A secret", code=500)


def respond(client: Any) -> Any:
    return client.conversations.responses.create("conv_1", message="A secret plan", model="a/b")


ROWS: list[tuple[Any, list[bytes], list[tuple[int, str]]]] = [
    (
        create,
        [answer(x_request_id="req_1")],
        [
            (
                logging.DEBUG,
                "POST /v2/conversations: 201 after 0.0 ms (attempt 1, request ID req_1)",
            )
        ],
    ),
    (
        create,
        [answer(429, {}, retry_after="2"), answer()],
        [
            (
                logging.INFO,
                "POST /v2/conversations: 429 after 0.0 ms (attempt 1, request ID unknown); next attempt in 2 s",
            ),
            (
                logging.DEBUG,
                "POST /v2/conversations: 201 after 0.0 ms (attempt 2, request ID unknown)",
            ),
        ],
    ),
    (
        delete,
        [HANG_UP, answer(404, {}, x_request_id="req_2")],
        [
            (
                logging.INFO,
                "DELETE /v2/conversations/{conversation_id}: DisconnectError after 0.0 ms (attempt 1, request ID unknown); next attempt in 0.375 s",
            ),
            (
                logging.INFO,
                "DELETE /v2/conversations/{conversation_id}: 404 after 0.0 ms (attempt 2, request ID req_2)",
            ),
        ],
    ),
    (
        respond,
        [streamed(WHOLE)],
        [
            (
                logging.DEBUG,
                "POST /v2/conversations/{conversation_id}/responses: 200 after 0.0 ms (attempt 1, request ID unknown)",
            )
        ],
    ),
    *(
        (
            respond,
            [streamed(*pieces, x_request_id="req_3", Content_Type=content_type)],
            [
                (
                    logging.DEBUG,
                    "POST /v2/conversations/{conversation_id}/responses: 200 after 0.0 ms (attempt 1, request ID req_3)",
                ),
                (
                    logging.INFO,
                    f"POST /v2/conversations/{{conversation_id}}/responses: {outcome} after 0.0 ms (attempt 1, request ID req_3)",
                ),
            ],
        )
        for pieces, content_type, outcome in [
            ((HALF,), "text/event-stream", "StreamTruncatedError"),
            (
                (HALF, b"data: a secret\n\n"),
                "text/event-stream",
                "StreamTruncatedError (DecodeError)",
            ),
            ((HALF, FAILED), "text/event-stream", "ResponseFailedError"),
            ((WHOLE,), "text/html", "StreamTruncatedError (DecodeError)"),
        ]
    ),
]


def run(variant: Variant, call: Any, script: list[bytes], **options: Any) -> None:
    with ScriptedServer(script) as server:
        try:
            variant.run(call, world=World(), api_key=KEY, base_url=server.url, **options)
        except ConversationsError:
            assert script[-1] != answer()


@pytest.mark.parametrize(("call", "script", "expected"), ROWS)
def test_lines(
    variant: Variant,
    lines: pytest.LogCaptureFixture,
    call: Any,
    script: list[bytes],
    expected: list[tuple[int, str]],
) -> None:
    run(variant, call, script)
    records = [record for record in lines.records if record.name == LOGGER.name]
    assert [(record.levelno, record.getMessage()) for record in records] == expected
    assert KEY not in lines.text
    assert "secret" not in lines.text


def test_the_duration_is_logged(lines: pytest.LogCaptureFixture) -> None:
    world = World()

    def script() -> Any:
        world.now += 0.25
        yield answer()

    with ScriptedServer(script()) as server:
        Variant("sync").run(create, world=world, api_key=KEY, base_url=server.url)
    assert "201 after 250.0 ms" in lines.text


def pauses(lines: pytest.LogCaptureFixture) -> list[tuple[int, str, float]]:
    records = [each for each in lines.records if each.name == f"{LOGGER.name}.throttling"]
    return [(each.levelno, each.getMessage(), vars(each)["pause"]) for each in records]


def test_each_pause_of_a_bulk_call_is_logged(
    variant: Variant, lines: pytest.LogCaptureFixture
) -> None:
    script = [answer(429, {}, retry_after="7"), answer(429, {}, retry_after="9"), answer()]
    with ScriptedServer(script) as server:
        run_many(variant, "create_many", [{}], world=World(), client={"base_url": server.url})
    assert pauses(lines) == [
        (logging.INFO, "create_many: the service is throttling; next request in 7 s", 7.0),
        (logging.INFO, "create_many: the service is throttling; next request in 9 s", 9.0),
    ]


def test_a_pause_is_logged_once_if_several_responses_ask_for_it(
    lines: pytest.LogCaptureFixture,
) -> None:
    with Client(KEY, base_url="http://127.0.0.1:1") as client:
        client._environment = World().environment()
        with client.conversations.create_many([]) as outcomes:
            for index, pause in enumerate((7.0, 7.5, 9.0)):
                outcomes._window.rate_limiter.throttled(index, pause=pause, now=100.0)
                outcomes._log_pause()
    assert [pause for _, _, pause in pauses(lines)] == [7.0, 9.0]


@pytest.mark.parametrize(("elapsed", "logged"), [(0.5, 3.0), (2.0, 1.0)])
def test_a_pause_that_has_just_begun_is_logged_with_its_full_length(
    lines: pytest.LogCaptureFixture, elapsed: float, logged: float
) -> None:
    world = World()
    with Client(KEY, base_url="http://127.0.0.1:1") as client:
        client._environment = world.environment()
        with client.conversations.create_many([]) as outcomes:
            outcomes._window.rate_limiter.throttled(0, pause=3.0, now=world.now)
            world.now += elapsed
            outcomes._log_pause()
    assert [pause for _, _, pause in pauses(lines)] == [logged]


def test_waiting_for_the_rate_is_not_throttling(lines: pytest.LogCaptureFixture) -> None:
    with ScriptedServer([answer()] * 2) as server:
        run_many(
            Variant("sync"),
            "create_many",
            [{}] * 2,
            world=World(),
            rate=0.1,
            client={"base_url": server.url},
        )
    assert "throttling" not in lines.text


@pytest.mark.parametrize("level", [logging.WARNING, logging.CRITICAL])
def test_no_log_record_is_created_without_a_listener(
    variant: Variant,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    level: int,
) -> None:
    caplog.set_level(level, logger=LOGGER.name)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("made for nobody")

    monkeypatch.setattr(Call, "request_info", refuse)
    monkeypatch.setattr(Call, "response_info", refuse)
    monkeypatch.setattr(LOGGER, "log", refuse)
    run(variant, create, [answer(429, {}, retry_after="2"), answer()])


def test_the_library_leaves_logging_to_the_program() -> None:
    assert (LOGGER.name, LOGGER.level, LOGGER.propagate) == ("conversations_client", 0, True)
    assert LOGGER.handlers == []
    assert call_log.is_log_enabled() is logging.getLogger().isEnabledFor(logging.INFO)


def test_hooks_are_called_even_if_logging_is_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger=LOGGER.name)
    found: list[Any] = []
    run(Variant("sync"), create, [answer()], hooks=Hooks(on_response=found.append))
    assert [info.status for info in found] == [201]
    assert caplog.records == []
