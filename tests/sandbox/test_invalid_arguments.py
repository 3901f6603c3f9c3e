"""Arguments of the wrong type or value are reported at once, with what to pass."""

from collections.abc import Callable
from typing import Any

import pytest

from conversations_client import Retry
from conversations_client.sandbox import Sandbox

SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"port": "x"}, "port must be a whole number, not str."),
    ({"port": None}, "port must be a whole number, not NoneType."),
    ({"db": 5}, "db must be a path or None, not int."),
    ({"api_key": 5}, "api_key must be a string, not int '5'."),
    ({"pace": "fast"}, "pace must be a number of seconds, not str 'fast'."),
    ({"pace": -1}, "pace must be 0 or more seconds, not -1."),
    ({"pace": True}, "pace must be a number of seconds, not bool 'True'."),
    ({"revision": "1"}, "revision must be 1 or 2."),
    ({"revision": 3}, "revision must be 1 or 2."),
    ({"models": "openai/gpt-4o"}, "models must be a list of strings, not str."),
    ({"models": 5}, "models must be a list of strings, not int."),
    ({"models": [5]}, "each item of models must be a string, not int '5'."),
    ({"host": 5}, "host must be a string, not int '5'."),
    ({"host": None}, "host must be a string, not None."),
    ({"allowed_hosts": [None]}, "each item of allowed_hosts must be a string, not None."),
]


@pytest.mark.parametrize(("settings", "problem"), SETTINGS, ids=str)
def test_settings(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Sandbox(**settings)
    assert str(caught.value) == problem


FAULTS: list[tuple[Callable[[Any], object], str]] = [
    (lambda s: s.fail_next("503"), "status must be a whole number, from 400 to 599, not str"),
    (lambda s: s.fail_next(200), "status must be 400 or more: use answer_next for a lower status."),
    (lambda s: s.fail_next(600), "status must be from 400 to 599, not 600."),
    (lambda s: s.fail_next(retry_after="x"), "retry_after must be a number of seconds, not str"),
    (lambda s: s.fail_next(retry_after=-1), "retry_after must be 0 or more seconds, not -1."),
    (lambda s: s.fail_next(message=None), "message must be a string, not None."),
    (lambda s: s.fail_next(times="2"), "times must be a whole number, from 1 to 1000000, not str"),
    (lambda s: s.fail_next(times=0), "times must be from 1 to 1000000, not 0."),
    (lambda s: s.fail_next(times=10**12), "times must be from 1 to 1000000, not 1000000000000."),
    (lambda s: s.fail_next(method="SEND"), "method must be one of GET, HEAD, POST, PUT, PATCH,"),
    (lambda s: s.fail_next(method=5), "method must be a string, not int '5'."),
    (lambda s: s.fail_next(path="conversations"), "path must begin with '/' or '*', as in"),
    (lambda s: s.fail_next(path="http://a/v2"), "path must begin with '/' or '*', as in"),
    (lambda s: s.fail_next(path=5), "path must be a string, not int '5'."),
    (lambda s: s.fail_next(path="/health"), "Faults can't be injected at '/health'"),
    (lambda s: s.drop_next(method="SEND"), "method must be one of"),
    (lambda s: s.drop_next(after_acting="no"), "after_acting must be True or False, not str 'no'."),
    (lambda s: s.delay_next("1"), "seconds must be a number of seconds, not str '1'."),
    (lambda s: s.delay_next(float("inf")), "seconds must be 0 or more seconds, not inf."),
    (lambda s: s.answer_next(5), "body must be a string, not int '5'."),
    (lambda s: s.answer_next(b"", status="200"), "status must be a whole number, from 200 to 599"),
    (lambda s: s.answer_next(b"", content_type=None), "content_type must be a string, not None."),
    (
        lambda s: s.answer_next(b"", content_type="a\r\nb: c"),
        "content_type must be ASCII without control",
    ),
    (
        lambda s: s.answer_next(b"", content_type="text/€"),
        "content_type must be ASCII without control",
    ),
    (lambda s: s.answer_next({}, status=204), "status 204 has no body: pass b'' as the body."),
    (lambda s: s.answer_next("a", status=304), "status 304 has no body: pass b'' as the body."),
    (lambda s: s.break_stream(after_events="1"), "after_events must be a whole number, 0 or more"),
    (lambda s: s.break_stream(garbage=5), "garbage must be a string, not int '5'."),
]


@pytest.mark.parametrize(("inject", "problem"), FAULTS)
def test_faults(inject: Callable[[Any], object], problem: str) -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        inject(sandbox)
    assert str(caught.value).startswith(problem)
    assert sandbox.disruptions == ()
    sandbox.stop()


def test_a_method_is_the_same_in_lower_case() -> None:
    with Sandbox() as sandbox, sandbox.client(retry=Retry(wait_initial=0)) as client:
        sandbox.fail_next(429, method="post", path="*/conversations")
        client.conversations.create()
        assert sandbox.disruptions == ()
        assert len(sandbox.requests) == 2


def test_a_model_is_listed_once() -> None:
    with Sandbox(models=["sandbox/echo", "a/b", "a/b"]) as sandbox, sandbox.client() as client:
        conversation = client.conversations.create()
        with pytest.raises(Exception, match="sandbox/echo") as caught:
            client.conversations.responses.create(conversation, message="a", model="c/d")
    assert (str(caught.value).count("sandbox/echo"), str(caught.value).count("a/b")) == (1, 1)
