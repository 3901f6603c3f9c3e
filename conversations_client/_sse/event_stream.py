"""A streamed response as it is read: bytes in, events out, until its end or its fault. No I/O."""

from typing import Final

from conversations_client._base.text import readable
from conversations_client._json.conversion import structure_by
from conversations_client._json.parser import parse
from conversations_client._json.structure_events import event as structure_event
from conversations_client.errors import ConversationsError, DecodeError
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

_MEDIA_TYPE: Final = "text/event-stream"
_SENTINEL: Final = b"[DONE]"
_OF_PARTS: Final = (PartDelta, PartDone)


class EventStreamState:
    """The state of a response between its first byte and its end.

    Args:
        source: Where the events come from.
        limit: How many bytes one event may have.
    """

    def __init__(self, source: StreamContext, *, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._decoder = EventDecoder(limit=limit)
        self._collected = ResponseAccumulator()
        self._size = 0
        self._done: ResponseDone | None = None
        self._failed: ResponseFailed | None = None
        self._has_ended = False
        self.words = ""
        """What the last event brought of the response's text."""

    @property
    def is_done(self) -> bool:
        """Whether the response is whole."""
        return self._done is not None

    @property
    def is_over(self) -> bool:
        """Whether the service has nothing more to say."""
        return self._done is not None or self._failed is not None

    def check(self) -> None:
        """Raise StreamTruncatedError for an answer that is no stream of events."""
        media_type = self._source.content_type.partition(";")[0].strip().lower()
        if media_type != _MEDIA_TYPE:
            came = self._source.content_type or "no content type"
            raise self._truncated(f"was answered with {came}, not with {_MEDIA_TYPE}.")
        if self._source.content_encoding.strip().lower() not in {"", "identity"}:
            raise self._truncated("came in a content encoding that was not asked for.")

    def feed(self, chunk: bytes) -> None:
        """Take what came in; nothing is the end of the stream."""
        if chunk:
            self._decoder.feed(chunk)
        else:
            self._decoder.end()
            self._has_ended = True

    def take(self) -> Event | None:
        """The next event, or None if more must come in first; raises StreamError."""
        try:
            return self._next()
        except StreamError as error:
            # From here on, for a traceback may show the variables of its frames: what came in.
            failure = error.with_traceback(None)
        raise failure

    def _next(self) -> Event | None:
        if self._failed is not None:
            raise self._failure(self._failed)
        data = None if self._done else self._decoder.take()
        if data is None:
            self._check_that_more_may_come()
            return None
        if data == _SENTINEL:
            raise self._truncated("said that it was done, but not how the response ended.")
        event = self._event(data)
        if isinstance(event, _OF_PARTS):
            self._count(data)
        self.words = self._collected.add(event)
        if isinstance(event, ResponseDone):
            self._done = event
        elif isinstance(event, ResponseFailed):
            self._failed = event
        return event

    def whole(self) -> Response | None:
        """The response, once it is done."""
        return None if self._done is None else self._collected.whole(self._done)

    def broken_by(self, error: ConversationsError) -> StreamTruncatedError:
        """The error for a connection that broke."""
        return self._truncated(f"broke off: {error}", error)

    def _check_that_more_may_come(self) -> None:
        if self._done is not None:
            return
        if self._decoder.is_overfull:
            raise EventTooLargeError(
                f"{self._source.request} sent an event larger than "
                f"max_event_bytes={self._limit}: raise it if the service is right.",
                partial=self._partial(),
                attempts=self._source.attempts,
                request_id=self._source.request_id,
            )
        if self._has_ended:
            raise self._truncated("ended before the response did.")

    def _count(self, data: bytes) -> None:
        # What is kept until the end must have an end.
        self._size += len(data)
        if self._size > self._source.max_bytes:
            raise self._truncated(
                f"brought more than max_response_bytes={self._source.max_bytes}: "
                "raise it if the service is right."
            )

    def _event(self, data: bytes) -> Event:
        try:
            return structure_by(structure_event, parse(data), Event)
        except DecodeError as error:
            # A path may hold names that the service made up.
            undocumented = DecodeError(self._source.key.redact_within(error.faults))
        raise self._truncated(
            f"sent an event that is not as the API documents it: {undocumented}.", undocumented
        )

    def _partial(self) -> PartialResponse:
        # Of an error, which is logged, pickled and shown; the events are the caller's as they came.
        return self._source.key.redact_within(self._collected.partial())

    def _failure(self, failed: ResponseFailed) -> ResponseFailedError:
        said = self._source.key.redact(failed.error)
        words = f": {readable(said)}" if said else ""
        error = ResponseFailedError(
            f"{self._source.request} failed while it was answered, with code {failed.code}{words}.",
            partial=self._partial(),
            attempts=self._source.attempts,
            request_id=self._source.request_id,
        )
        error.service_message = said
        error.code = failed.code
        return error

    def _truncated(
        self, problem: str, reason: ConversationsError | None = None
    ) -> StreamTruncatedError:
        error = StreamTruncatedError(
            f"{self._source.request}: the stream {problem} What had arrived is in `partial`; the "
            "service may have gone on without you.",
            partial=self._partial(),
            attempts=self._source.attempts,
            request_id=self._source.request_id,
        )
        error.reason = reason
        return error
