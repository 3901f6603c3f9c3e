"""What a test can have the sandbox do, and see of it."""

from collections.abc import Mapping
from typing import Final

from conversations_client.sandbox._disruptions import (
    Answer,
    BreakStream,
    Delay,
    Disruption,
    Disruptions,
    Drop,
)
from conversations_client.sandbox._received import Received, ReceivedRequest
from conversations_client.sandbox._rendering import encode

_RESPONSES: Final = "/v2/conversations/*/responses"
_FIRST_ERROR: Final = 400


class Controls:
    """Disruptions for the requests to come, and the requests that came.

    Disruptions wait in a queue. A request meets with the first one that is for it, which is then
    gone; `method` and `path` (a pattern, in which `*` is anything) say which requests one is for.
    """

    def __init__(self) -> None:
        self._disruptions = Disruptions()
        self._received = Received()

    @property
    def disruptions(self) -> tuple[Disruption, ...]:
        """What waits for requests to come, in order; empty once everything has happened."""
        return self._disruptions.pending()

    def clear_disruptions(self) -> None:
        """Let nothing more happen to the requests to come."""
        self._disruptions.clear()

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The calls of the API that came in, oldest first, whatever was answered.

        They are kept up to 1,000, and up to 16 MiB of bodies; older ones are forgotten.
        """
        return self._received.all()

    def fail_next(
        self,
        status: int = 503,
        *,
        retry_after: float | None = None,
        message: str = "The sandbox was told to fail.",
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Have the next request fail; nothing is done of what it asks for.

        Args:
            status: The HTTP status, 400 to 599.
            retry_after: Seconds in the `Retry-After` header; None sends none. With 0 a client
                comes again at once.
            message: What the answer says.
            times: How many requests it happens to.
            method: Only to those of this HTTP method.
            path: Only to those whose path fits.

        Raises:
            ValueError: The status is no error, or there are no times.
        """
        if status < _FIRST_ERROR:
            raise ValueError("status must be 400 or more: use answer_next for a success.")
        pause = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        answer = Answer(
            status=status,
            headers={"Content-Type": "application/json", **pause},
            body=encode({"message": message}),
            method=method,
            path=path,
        )
        self._disruptions.add(answer, times=times)

    def answer_next(
        self,
        body: bytes | str | Mapping[str, object],
        *,
        status: int = 200,
        content_type: str = "application/json",
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Have the next request answered with anything at all; nothing is done of what it asks for.

        Args:
            body: What to answer; an object is written as JSON.
            status: The HTTP status, 200 to 599.
            content_type: What the answer says that it is.
            times: How many requests it happens to.
            method: Only to those of this HTTP method.
            path: Only to those whose path fits.

        Raises:
            ValueError: The status is none, or there are no times.
        """
        answer = Answer(
            status=status,
            headers={"Content-Type": content_type},
            body=_written(body),
            method=method,
            path=path,
        )
        self._disruptions.add(answer, times=times)

    def delay_next(
        self,
        seconds: float,
        *,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Have the next request answered late; what it asks for is done at once.

        Args:
            seconds: How late; the end of the sandbox cuts it short.
            times: How many requests it happens to.
            method: Only to those of this HTTP method.
            path: Only to those whose path fits.

        Raises:
            ValueError: The seconds are negative or not finite, or there are no times.
        """
        self._disruptions.add(Delay(seconds=seconds, method=method, path=path), times=times)

    def drop_next(
        self,
        *,
        after_acting: bool = False,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Have the next request's connection closed in place of an answer.

        Args:
            after_acting: Whether what it asks for is done before.
            times: How many requests it happens to.
            method: Only to those of this HTTP method.
            path: Only to those whose path fits.

        Raises:
            ValueError: There are no times.
        """
        drop = Drop(after_acting=after_acting, method=method, path=path)
        self._disruptions.add(drop, times=times)

    def break_stream(
        self, *, after_events: int = 1, garbage: bytes | str = b"", times: int = 1
    ) -> None:
        """Have the next streamed response's connection closed before its end.

        Args:
            after_events: How many events are sent before; all of it, if it has no more.
            garbage: What is sent after them, such as an event that can't be read.
            times: How many responses it happens to.

        Raises:
            ValueError: The events are less than none, or there are no times.
        """
        broken = BreakStream(
            after_events=after_events,
            garbage=garbage.encode() if isinstance(garbage, str) else garbage,
            method="POST",
            path=_RESPONSES,
        )
        self._disruptions.add(broken, times=times)


def _written(body: bytes | str | Mapping[str, object]) -> bytes:
    if isinstance(body, Mapping):
        return encode(body)
    return body.encode() if isinstance(body, str) else body
