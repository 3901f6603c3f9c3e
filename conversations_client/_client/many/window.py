"""Decides which of many requests to read, send, delay and report next. No I/O and no clock."""

import math
from collections import deque
from enum import Enum, auto
from typing import Any, Generic

from attrs import define, field, frozen

from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import Operation, is_throttled
from conversations_client._calls.retry import Resend, Retry, Stop
from conversations_client.errors import (
    ConversationsError,
    Delivery,
    InvalidArgumentError,
    StatusError,
    worst_delivery,
)

from .operations import ManyOperation, S
from .outcome import Failed
from .rate_limiter import RateLimiter


@define(eq=False)
class PendingRequest:
    """A request without an outcome yet.

    Attributes:
        index: Its position, from 0.
        item: What the caller passed.
        operation: The call, the same on every attempt.
        attempts: How many times it was sent.
        delivery: The worst delivery of all attempts.
        refusals: How many times in a row the service throttled it while accepting no other.
        accepted_before: How many requests the service had accepted when it last throttled this one.
    """

    index: int
    item: object
    operation: Operation[Any]
    attempts: int = 0
    delivery: Delivery = Delivery.UNSENT
    refusals: int = 0
    accepted_before: int = -1

    def final_error(self, error: ConversationsError, reason: str = "") -> ConversationsError:
        """The error over all attempts."""
        message = f"{error} {reason}".rstrip()
        return error.with_outcome(delivery=self.delivery, attempts=self.attempts, message=message)


class Step(Enum):
    """What to do next, other than report an outcome, send or wait."""

    READ = auto()
    """Read an item and `add` it."""
    END = auto()
    """Nothing: every outcome is reported."""


@frozen
class Wait:
    """Wait for a call to end, up to a limit.

    Attributes:
        seconds: The limit; infinite to wait until a call ends.
        is_idle: Whether no call is in flight.
    """

    seconds: float
    is_idle: bool


@define(kw_only=True)
class Window(Generic[S]):
    """The requests that are read and whose outcomes are not reported yet: never more than `size`.

    Attributes:
        size: The most requests in the window.
        ordered: Whether outcomes are reported in the order of the items.
        stop_on_error: Whether nothing more is sent after a failure.
        retry: How often a throttled request is sent again.
        rate_limiter: When the next request may be sent.
        operation: What to call for each item.
    """

    size: int
    ordered: bool
    stop_on_error: bool
    retry: Retry
    rate_limiter: RateLimiter
    operation: ManyOperation[S]
    _read: int = 0
    _reported: int = 0
    _in_flight: int = 0
    _accepted: int = 0
    _is_drained: bool = False
    _is_stopped: bool = False
    _delayed: deque[tuple[PendingRequest, StatusError]] = field(
        factory=deque[tuple[PendingRequest, StatusError]]
    )
    _done: dict[int, S | Failed] = field(factory=dict[int, S | Failed])

    def step(self, now: float) -> S | Failed | PendingRequest | Wait | Step:
        """What comes next: an outcome to report, a request to send, a wait, or a step."""
        wait = self.rate_limiter.wait(now) if self._has_more() else math.inf
        if wait == 0:
            return self._sent(self._delayed.popleft()[0], now) if self._delayed else Step.READ
        index = self._reported if self.ordered else next(iter(self._done), -1)
        if index in self._done:
            self._reported += 1
            return self._done.pop(index)
        if not self._in_flight and wait == math.inf:
            return Step.END
        return Wait(wait, is_idle=not self._in_flight)

    def add(self, item: object, *, now: float) -> PendingRequest | None:
        """Add an item; returns the request to send, or None if the item is invalid."""
        index = self._read
        self._read += 1
        try:
            operation = self.operation.operation(item)
        except InvalidArgumentError as error:
            self._fail(self.operation.failure(index, item, error))
            return None
        return self._sent(PendingRequest(index, item, operation), now)

    def drain(self) -> None:
        """Record that there are no more items."""
        self._is_drained = True

    def succeeded(self, request: PendingRequest, response: RawResponse[Any]) -> None:
        """Record a successful call."""
        self._completed(request)
        self._accepted += 1
        self._done[request.index] = self.operation.success(request.index, request.item, response)

    def failed(
        self, request: PendingRequest, error: ConversationsError, *, now: float, jitter: float
    ) -> None:
        """Record a failed call; a throttled request is delayed and sent again."""
        request.attempts += error.attempts
        request.delivery = worst_delivery(request.delivery, error.delivery)
        if isinstance(error, StatusError) and is_throttled(error.status, error.retry_after):
            self._throttled(request, error, now=now, jitter=jitter)
        else:
            self._completed(request)
            self._accepted += isinstance(error, StatusError)
            self._fail(self._failure(request, error))

    def _throttled(
        self, request: PendingRequest, error: StatusError, *, now: float, jitter: float
    ) -> None:
        self._in_flight -= 1
        # While the service accepts others in between, it is busy and doesn't reject this one.
        request.refusals = request.refusals + 1 if request.accepted_before == self._accepted else 1
        request.accepted_before = self._accepted
        asked = error.retry_after
        verdict = self.retry.again(
            asked, attempt=request.refusals, jitter=jitter, remaining=math.inf
        )
        pause = verdict.pause if isinstance(verdict, Resend) else asked or 0.0
        pause = min(pause, self.retry.retry_after_max)
        self.rate_limiter.throttled(request.index, pause=pause, now=now)
        if isinstance(verdict, Stop):
            self._fail(self._failure(request, error, verdict.reason))
        elif self._is_stopped:
            self._fail(self._failure(request, error))
        else:
            self._delayed.append((request, error))

    def _completed(self, request: PendingRequest) -> None:
        self._in_flight -= 1
        self.rate_limiter.completed(request.index)

    def _failure(
        self, request: PendingRequest, error: ConversationsError, reason: str = ""
    ) -> Failed:
        final = request.final_error(error, reason)
        return self.operation.failure(request.index, request.item, final)

    def _fail(self, outcome: Failed) -> None:
        self._done[outcome.index] = outcome
        if self.stop_on_error and not self._is_stopped:
            self._is_stopped = True
            while self._delayed:
                self._fail(self._failure(*self._delayed.popleft()))

    def _has_more(self) -> bool:
        if self._delayed:
            return True
        is_over = self._is_drained or self._is_stopped
        return not is_over and self._read - self._reported < self.size

    def _sent(self, request: PendingRequest, now: float) -> PendingRequest:
        self._in_flight += 1
        self.rate_limiter.sent(request.index, now=now)
        return request
