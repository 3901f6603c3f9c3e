"""Converts queued answers to HTTP responses."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

import httpx

from conversations_client import (
    Conversation,
    ConversationPage,
    ConversationWithMessages,
    Event,
    Response,
    StatusError,
    TransportError,
    unstructure,
)
from conversations_client.testing import factories
from conversations_client.testing._calls import (
    Call,
    CreateCall,
    CreateResponseCall,
    DeleteCall,
    GenerateNameCall,
    ListCall,
    RequestCall,
    RetrieveCall,
    UpdateCall,
)

Answer = Conversation | ConversationPage | Response | Sequence[Event] | Mapping[str, Any] | None
"""A response to a call. A mapping is sent as JSON and can be the response to any call."""

Failure = StatusError | TransportError
"""An error that a call can raise."""

_TAKES: Final = (
    "a Conversation, a ConversationWithMessages, a ConversationPage, a Response, a list of events, "
    "a dict or None"
)

_JSON: Final = {"Content-Type": "application/json"}
_EVENTS: Final = {"Content-Type": "text/event-stream"}

_ANSWERS: Final[Mapping[type[Call], tuple[tuple[type, ...], str]]] = {
    CreateCall: ((Conversation,), "a Conversation"),
    ListCall: ((ConversationPage,), "a ConversationPage"),
    RetrieveCall: ((ConversationWithMessages,), "a ConversationWithMessages"),
    UpdateCall: ((Conversation,), "a Conversation"),
    DeleteCall: ((type(None),), "None"),
    GenerateNameCall: ((Conversation,), "a Conversation"),
    CreateResponseCall: ((Response, list, tuple), "a Response or a list of events"),
    RequestCall: ((type(None),), "None"),
}
"""The classes that can answer a call, and their names in error messages."""


def checked_answer(answer: object) -> Answer:
    """Check an answer that a test queues.

    Raises:
        TypeError: It is not a response to any call.
    """
    if isinstance(answer, BaseException) or _is_error_class(answer):
        raise TypeError(f"answer() takes {_TAKES}: queue errors with fail().")
    if isinstance(answer, list | tuple):
        events = cast("Sequence[object]", answer)
        for index, event in enumerate(events):
            if not isinstance(event, get_args(Event)):
                raise TypeError(
                    f"Item {index} of the list must be an event, not {type(event).__name__}."
                )
        return cast("Sequence[Event]", events)
    if answer is None or isinstance(answer, Conversation | ConversationPage | Response | Mapping):
        return cast("Answer", answer)
    raise TypeError(f"answer() takes {_TAKES}, not {type(answer).__name__}.")


def _is_error_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def checked_failure(failure: object) -> Failure:
    """Check a failure that a test queues, or create one from a class.

    Raises:
        TypeError: No call can fail with it.
    """
    if isinstance(failure, StatusError | TransportError):
        return failure
    if isinstance(failure, type) and issubclass(failure, StatusError):
        return factories.status_error(failure)
    if isinstance(failure, type) and issubclass(failure, TransportError):
        return factories.transport_error(failure)
    name = failure.__name__ if isinstance(failure, type) else type(failure).__name__
    raise TypeError(
        f"fail() takes a StatusError or a TransportError, such as NotFoundError or "
        f"factories.transport_error(ConnectError), not {name}."
    )


def success_response(call: Call, answer: Answer) -> httpx.Response:
    """Build the response to a call.

    Raises:
        AssertionError: The answer is for a different kind of call.
    """
    classes, names = _ANSWERS[type(call)]
    too_much = isinstance(answer, ConversationWithMessages) and not isinstance(call, RetrieveCall)
    if too_much or not isinstance(answer, (*classes, Mapping)):
        raise AssertionError(
            f"The fake service can't answer {call!r} with {answer!r}. Pass {names}, or "
            "a dict to send as JSON."
        )
    if answer is None:
        return httpx.Response(204)
    if isinstance(answer, Response):
        return _streamed(factories.events_of(answer))
    if isinstance(answer, list | tuple):
        return _streamed(answer)
    status = 201 if isinstance(call, CreateCall) else 200
    return httpx.Response(status, headers=_JSON, content=_json(unstructure(answer)))


def failure_response(failure: Failure) -> httpx.Response:
    """Build the response that causes a failure; raise the failure if it has no response."""
    if isinstance(failure, TransportError):
        raise failure
    return httpx.Response(
        failure.status, headers=list(failure.headers.items()), content=failure.body
    )


def _streamed(events: Sequence[Event]) -> httpx.Response:
    blocks = [b"data: " + _json(unstructure(event)) + b"\n\n" for event in events]
    return httpx.Response(200, headers=_EVENTS, content=b"".join(blocks))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
