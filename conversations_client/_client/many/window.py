"""Many creates at once: which is read, sent, put off and given next. No I/O and no clock."""

import math
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, TypeAlias

from attrs import define, field, frozen

from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import Operation, is_throttled
from conversations_client._calls.retry import Again, Retry, Stop
from conversations_client.errors import (
    ConversationsError,
    Delivery,
    InvalidArgumentError,
    StatusError,
)
from conversations_client.models import Conversation

from .rate_limiter import RateLimiter

_WORSE: Final = (Delivery.UNSENT, Delivery.REFUSED, Delivery.UNKNOWN)


@frozen
class Created:
    """A request that was carried out.

    Attributes:
        index: Which one it is, from 0.
        conversation: The new conversation.
        request_id: What the service calls the exchange (`x-request-id`); None if it doesn't say.
    """

    index: int
    conversation: Conversation
    request_id: str | None = None


@frozen
class Failed:
    """A request that was not carried out, as far as is known.

    Attributes:
        index: Which one it is, from 0.
        error: Why; an InvalidArgumentError if nothing was sent.
    """

    index: int
    error: ConversationsError

    @property
    def may_have_acted(self) -> bool:
        """Whether there may be a conversation all the same."""
        return self.error.may_have_acted


CreateOutcome: TypeAlias = Created | Failed


@define(eq=False)
class Row:
    """A request on its way.

    Attributes:
        index: Which one it is, from 0.
        operation: What is sent, the same each time.
    """

    index: int
    operation: Operation[Conversation]
    attempts: int = 0
    delivery: Delivery = Delivery.UNSENT
    put_offs: int = 0
    taken_before: int = -1

    def failed(self, error: ConversationsError, reason: str = "") -> Failed:
        """The outcome, over everything that was tried."""
        words = f"{error} {reason}".rstrip()
        final = error.with_outcome(delivery=self.delivery, attempts=self.attempts, message=words)
        return Failed(self.index, final)


class Step(Enum):
    """What is to be done next, besides giving, sending or waiting."""

    READ = auto()
    """Read a request, and `add` it."""
    END = auto()
    """Nothing: every outcome is given."""


@frozen
class Wait:
    """Wait for a call to end, but no longer than so many seconds.

    Attributes:
        seconds: How long at most; infinite for until a call ends.
        is_idle: Whether there is no call that could end.
    """

    seconds: float
    is_idle: bool


@define(kw_only=True)
class Window:
    """The requests that are read and whose outcomes are not given yet: never more than `size`.

    Attributes:
        size: How many there are at most.
        ordered: Whether the outcomes come in the order of the requests.
        stop_on_error: Whether nothing more is sent after a failure.
        retry: How patient to be where the service puts requests off.
        throttle: When the next may be sent.
        operation: What a request asks for; raises InvalidArgumentError.
    """

    size: int
    ordered: bool
    stop_on_error: bool
    retry: Retry
    throttle: RateLimiter
    operation: Callable[[object], Operation[Conversation]]
    _read: int = 0
    _given: int = 0
    _in_flight: int = 0
    _taken: int = 0
    _is_drained: bool = False
    _is_stopped: bool = False
    _put_off: deque[tuple[Row, StatusError]] = field(factory=deque[tuple[Row, StatusError]])
    _done: dict[int, CreateOutcome] = field(factory=dict[int, CreateOutcome])

    def step(self, now: float) -> CreateOutcome | Row | Wait | Step:
        """What comes next: an outcome to give, a row to send, a wait, or a step."""
        wait = self.throttle.wait(now) if self._has_more() else math.inf
        if wait == 0:
            return self._sent(self._put_off.popleft()[0], now) if self._put_off else Step.READ
        index = self._given if self.ordered else next(iter(self._done), -1)
        if index in self._done:
            self._given += 1
            return self._done.pop(index)
        if not self._in_flight and wait == math.inf:
            return Step.END
        return Wait(wait, is_idle=not self._in_flight)

    def add(self, request: object, *, now: float) -> Row | None:
        """Take a request that was read; gives the row to send, None if it can't be sent."""
        index = self._read
        self._read += 1
        try:
            operation = self.operation(request)
        except InvalidArgumentError as error:
            self._fail(Failed(index, error))
            return None
        return self._sent(Row(index, operation), now)

    def drain(self) -> None:
        """There are no more requests."""
        self._is_drained = True

    def created(self, row: Row, answer: RawResponse[Conversation]) -> None:
        """Take the end of a call that went well."""
        self._answered(row)
        self._taken += 1
        self._done[row.index] = Created(row.index, answer.parsed, answer.request_id)

    def failed(self, row: Row, error: ConversationsError, *, now: float, jitter: float) -> None:
        """Take the end of a call that failed, for good or for now."""
        row.attempts += error.attempts
        row.delivery = max(row.delivery, error.delivery, key=_WORSE.index)
        if isinstance(error, StatusError) and is_throttled(error.status, error.retry_after):
            self._take_throttled(row, error, now=now, jitter=jitter)
        else:
            self._answered(row)
            self._taken += isinstance(error, StatusError)
            self._fail(row.failed(error))

    def _take_throttled(self, row: Row, error: StatusError, *, now: float, jitter: float) -> None:
        self._in_flight -= 1
        # As long as the service takes others in between, it is busy and not closed to this one.
        row.put_offs = row.put_offs + 1 if row.taken_before == self._taken else 1
        row.taken_before = self._taken
        asked = error.retry_after
        verdict = self.retry.again(asked, attempt=row.put_offs, jitter=jitter, remaining=math.inf)
        pause = verdict.pause if isinstance(verdict, Again) else asked or 0.0
        self.throttle.throttled(row.index, pause=min(pause, self.retry.retry_after_max), now=now)
        if isinstance(verdict, Stop):
            self._fail(row.failed(error, verdict.reason))
        elif self._is_stopped:
            self._fail(row.failed(error))
        else:
            self._put_off.append((row, error))

    def _answered(self, row: Row) -> None:
        self._in_flight -= 1
        self.throttle.answered(row.index)

    def _fail(self, outcome: Failed) -> None:
        self._done[outcome.index] = outcome
        if self.stop_on_error and not self._is_stopped:
            self._is_stopped = True
            while self._put_off:
                row, error = self._put_off.popleft()
                self._fail(row.failed(error))

    def _has_more(self) -> bool:
        if self._put_off:
            return True
        is_over = self._is_drained or self._is_stopped
        return not is_over and self._read - self._given < self.size

    def _sent(self, row: Row, now: float) -> Row:
        self._in_flight += 1
        self.throttle.sent(row.index, now=now)
        return row
