"""Converts queued answers to HTTP responses."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final, cast, get_args

import httpx

from conversations_client import (
    Conversation,
    ConversationPage,
    ConversationWithMessages,
    Event,
    Response,
    StatusError,
    StreamError,
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
from conversations_client.testing._mock_clients import error_response

Answer = (
    Conversation
    | ConversationPage
    | Response
    | Sequence[Event | TransportError | type[TransportError]]
    | Mapping[str, Any]
    | None
)
"""A response to a call. A mapping is sent as JSON and can be the response to any call.

A list of events can end with a `TransportError` or its class, which breaks the stream there.
"""

Failure = StatusError | TransportError
"""An error that a call can raise."""

_TAKES: Final = (
    "a Conversation, a ConversationWithMessages, a ConversationPage, a Response, a list of events, "
    "a dict or None"
)

_STREAM_ADVICE: Final = (
    "To break a stream, queue a list of events that ends with a TransportError, such as "
    "factories.transport_error(DisconnectError). For a failure that the service reports, end it "
    "with factories.response_failed()."
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
    if _is_or_creates(answer, StreamError):
        raise TypeError(f"answer() takes {_TAKES}, not {_name(answer)}. {_STREAM_ADVICE}")
    if _is_or_creates(answer, BaseException):
        raise TypeError(f"answer() takes {_TAKES}: queue errors with fail().")
    if isinstance(answer, list | tuple):
        return _checked_events(cast("Sequence[object]", answer))
    if answer is None or isinstance(answer, Conversation | ConversationPage | Response | Mapping):
        return cast("Answer", answer)
    raise TypeError(f"answer() takes {_TAKES}, not {_name(answer)}.")


def _checked_events(items: Sequence[object]) -> Answer:
    """Check a list of events, and create its error if it ends with a class."""
    events = list(items)
    end: list[Failure] = []
    if events and _is_or_creates(events[-1], TransportError):
        end = [checked_failure(events.pop())]
    for index, event in enumerate(events):
        if not isinstance(event, get_args(Event)):
            advice = f" {_STREAM_ADVICE}" if _is_or_creates(event, BaseException) else ""
            raise TypeError(
                f"Item {index} of the list must be an event, not {_name(event)}.{advice}"
            )
    return cast("Answer", [*events, *end])


def checked_failure(failure: object) -> Failure:
    """Check a failure that a test queues, or create one from a class.

    Raises:
        TypeError: No call can fail with it.
    """
    if not _is_or_creates(failure, (StatusError, TransportError)):
        advice = f" {_STREAM_ADVICE}" if _is_or_creates(failure, StreamError) else ""
        raise TypeError(
            f"fail() takes a StatusError or a TransportError, such as NotFoundError or "
            f"factories.transport_error(ConnectError), not {_name(failure)}.{advice}"
        )
    if isinstance(failure, type) and issubclass(failure, StatusError):
        return factories.status_error(failure)
    if isinstance(failure, type) and issubclass(failure, TransportError):
        return factories.transport_error(failure)
    return cast("Failure", failure)


def _is_or_creates(value: object, cls: type | tuple[type, ...]) -> bool:
    """Whether a value is an instance or a subclass of a class."""
    return isinstance(value, cls) or (isinstance(value, type) and issubclass(value, cls))


def _name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else type(value).__name__


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
    return error_response(failure.status, failure.headers, failure.body)


def _streamed(items: Sequence[object]) -> httpx.Response:
    return httpx.Response(200, headers=_EVENTS, stream=_EventStream(items))


class _EventStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The bytes of a list of events, which may end with an error."""

    def __init__(self, items: Sequence[object]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[bytes]:
        for item in self._items:
            if isinstance(item, TransportError):
                raise item
            yield b"data: " + _json(unstructure(item)) + b"\n\n"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
