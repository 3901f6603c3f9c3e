"""The state of a streamed response: bytes in, events out, until its end or an error. No I/O."""

from http import HTTPStatus
from typing import Final, TypeVar

from conversations_client._base.text import readable, sentence, web_page_hint, with_request_id
from conversations_client._json.conversion import structure_by
from conversations_client._json.parser import parse
from conversations_client._json.structure_events import event as structure_event
from conversations_client.errors import (
    ConversationsError,
    DecodeError,
    Delivery,
    Fault,
    ResponseTooLargeError,
)
from conversations_client.events import Event, PartDelta, PartDone, ResponseDone, ResponseFailed
from conversations_client.responses import (
    EventTooLargeError,
    PartialResponse,
    Response,
    ResponseFailedError,
    StreamError,
    StreamTruncatedError,
)

from .accumulator import ResponseAccumulator
from .decoder import EventDecoder
from .stream_context import StreamContext

E = TypeVar("E", bound=StreamError)

_MEDIA_TYPE: Final = "text/event-stream"
_SENTINEL: Final = b"[DONE]"


class EventStreamState:
    """The state of a streamed response.

    Args:
        context: The request and response that the stream belongs to.
        limit: The maximum size of an event, in bytes.
    """

    def __init__(self, context: StreamContext, *, limit: int) -> None:
        self._context = context
        self._limit = limit
        self._decoder = EventDecoder(limit=limit)
        self._accumulator = ResponseAccumulator()
        self._size = 0
        self._last: ResponseDone | ResponseFailed | None = None
        self._has_ended = False
        self.text = ""
        """The text that the last event added to the response."""

    @property
    def is_complete(self) -> bool:
        """Whether the whole response has arrived."""
        return isinstance(self._last, ResponseDone)

    @property
    def is_over(self) -> bool:
        """Whether the service has sent the last event."""
        return self._last is not None

    def check(self) -> None:
        """Raise StreamTruncatedError for a response that is not an event stream."""
        media_type = self._context.content_type.partition(";")[0].strip().lower()
        if self._context.status != HTTPStatus.OK:
            raise self._unexpected(f"has status {self._context.status}, but should have 200")
        if media_type != _MEDIA_TYPE:
            actual = self._context.content_type
            actual = f"the content type {actual}" if actual else "no content type"
            raise self._unexpected(
                f"has {actual}, but should have {_MEDIA_TYPE}",
                web_page_hint(self._context.content_type),
            )
        if self._context.content_encoding.strip().lower() not in {"", "identity"}:
            raise self._unexpected("has a content encoding that the client did not request")

    def feed(self, chunk: bytes) -> None:
        """Process the next bytes; an empty chunk ends the stream."""
        if chunk:
            self._decoder.feed(chunk)
        else:
            self._decoder.end()
            self._has_ended = True

    def take(self) -> Event | None:
        """The next event, or None if it needs more bytes; raises StreamError."""
        try:
            return self._next()
        except StreamError as error:
            # The frames below contain what the service sent, which a traceback may show.
            failure = error.with_traceback(None)
        raise failure

    def _next(self) -> Event | None:
        data = self._decoder.take() if self._last is None else None
        if data is None:
            self._check_open()
            return None
        event = self._event(data)
        self.text = self._accumulator.add(event)
        return event

    def response(self) -> Response | None:
        """The response, once it is complete."""
        done = self._last
        return self._accumulator.complete(done) if isinstance(done, ResponseDone) else None

    def partial(self) -> PartialResponse:
        """The response so far."""
        # Unlike events, it ends up in logs and pickles, as part of an error.
        return self._context.key.redact_within(self._accumulator.partial())

    def broken_by(self, error: ConversationsError) -> StreamTruncatedError:
        """The error for a broken connection."""
        return self._truncated(f"broke: {error}", error)

    def _event(self, data: bytes) -> Event:
        if data == _SENTINEL:
            raise self._unexpected("ended with [DONE], but without response.done")
        try:
            event = structure_by(structure_event, parse(data), Event)
        except DecodeError as error:
            # A path may contain names that the service chose.
            invalid = DecodeError(self._context.key.redact_within(error.faults))
        else:
            self._record(event, len(data))
            return event
        raise self._truncated(
            f"has an event that doesn't match the API's documentation: {invalid}.", invalid
        )

    def _record(self, event: Event, size: int) -> None:
        if isinstance(event, PartDelta | PartDone):
            # Parts stay in memory until the stream ends, so their total size is limited.
            self._size += size
            if self._size > self._context.max_bytes:
                problem = (
                    f"has more than max_response_bytes={self._context.max_bytes}: "
                    "increase the limit if the response is valid."
                )
                reason = ResponseTooLargeError(f"The stream {problem}", delivery=Delivery.UNKNOWN)
                raise self._truncated(problem, reason)
        elif isinstance(event, ResponseDone | ResponseFailed):
            self._last = event

    def _check_open(self) -> None:
        if isinstance(self._last, ResponseFailed):
            raise self._failure(self._last)
        if self._last is not None:
            return
        if self._decoder.is_overfull:
            raise self._error(
                EventTooLargeError,
                f"an event is larger than max_event_bytes={self._limit}: increase the limit if the "
                "event is valid.",
            )
        if self._has_ended:
            raise self._truncated("ended before the response was complete.")

    def _failure(self, failed: ResponseFailed) -> ResponseFailedError:
        message = self._context.key.redact(failed.error)
        detail = f": {readable(message)}" if message else ""
        error = self._error(
            ResponseFailedError, sentence(f"the response failed with code {failed.code}{detail}")
        )
        error.service_message = message
        error.code = failed.code
        return error

    def _unexpected(self, problem: str, hint: str = "") -> StreamTruncatedError:
        return self._truncated(
            f"{problem}.{hint}", DecodeError((Fault("$", f"the stream {problem}"),))
        )

    def _truncated(
        self, problem: str, reason: ConversationsError | None = None
    ) -> StreamTruncatedError:
        error = self._error(
            StreamTruncatedError,
            f"the stream {problem} `partial` contains what arrived; the service may have continued "
            "the response.",
        )
        error.reason = reason
        return error

    def _error(self, cls: type[E], problem: str) -> E:
        context = self._context
        error = cls(
            with_request_id(f"{context.request}: {problem}", context.request_id),
            partial=self.partial(),
            attempts=context.attempts,
            request_id=context.request_id,
        )
        error.method, error.template = context.method, context.template
        return error
