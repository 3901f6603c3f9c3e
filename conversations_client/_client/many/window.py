"""Decides which request to read, send, delay or report next. No I/O and no clock.

An interrupt (Ctrl-C, a signal handler that raises) may end any method at any line. Calling the
method again is harmless: requests are stored by index, and a single call into C code moves a
request from one container to the next.
"""

import math
from collections import deque
from enum import Enum, auto
from functools import partial
from itertools import islice
from typing import Any, Generic

from attrs import define, field, frozen

from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import is_throttled
from conversations_client._calls.retry import (
    Resend,
    Retry,
    Stop,
    can_repeat,
    next_attempt,
    too_long,
)
from conversations_client.errors import (
    ConversationsError,
    InvalidArgumentError,
    StatusError,
    with_outcome,
)

from .operations import ManyOperation, S
from .outcome import Failed
from .pending_request import PendingRequest
from .rate_limiter import RateLimiter


class Step(Enum):
    """The next step, other than sending a request or waiting."""

    READ = auto()
    """Read an item into the inbox."""
    ADD = auto()
    """Add the item from the inbox."""
    REPORT = auto()
    """Report an outcome."""
    END = auto()
    """Stop: every outcome has been reported."""


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
    """At most `size` requests whose items have been read but whose outcomes haven't been reported.

    Attributes:
        size: The maximum number of requests in the window.
        ordered: Whether outcomes are reported in the order of the items.
        stop_on_error: Whether to stop sending after a failure.
        retry: The retry settings for throttled requests.
        rate_limiter: Decides when the next request may be sent.
        operation: What to call for each item.
        inbox: The last item with its index, until it is added.
        outbox: The requests to send, until a thread or task sends them.
    """

    size: int
    ordered: bool
    stop_on_error: bool
    retry: Retry
    rate_limiter: RateLimiter
    operation: ManyOperation[S]
    inbox: deque[tuple[int, object]] = field(factory=deque[tuple[int, object]])
    outbox: deque[PendingRequest] = field(factory=deque[PendingRequest])
    _open: set[int] = field(factory=set[int])
    _delayed: dict[int, PendingRequest] = field(factory=dict[int, PendingRequest])
    _in_flight: dict[int, PendingRequest] = field(factory=dict[int, PendingRequest])
    _done: dict[int, S | Failed] = field(factory=dict[int, S | Failed])
    _next: int = 0
    _reporting: int = -1
    _accepted: int = 0
    _is_drained: bool = False
    _is_stopped: bool = False

    @property
    def is_stopped(self) -> bool:
        """Whether nothing more is read, and no throttled request is sent again."""
        return self._is_stopped

    def step(self, now: float) -> PendingRequest | Wait | Step:
        """What to do next: send the returned request (also in the outbox), wait, or take a step."""
        is_stopped = self._is_stopped  # read once, because another thread may set it
        self._settle(is_stopped=is_stopped)
        is_refused = self._refuse(now, is_stopped=is_stopped)
        if self.inbox:
            return Step.ADD
        has_more = self._has_more()
        wait = self.rate_limiter.wait(now) if has_more else math.inf
        # An interrupt may have come just before an item that was already read was sent.
        if wait == 0 or (is_stopped and self._delayed):
            return self._send(next(iter(self._delayed)), now) if self._delayed else Step.READ
        if self._next in self._done or (self._done and not self.ordered):
            return Step.REPORT
        if has_more and is_refused:
            return Step.READ
        if not self._in_flight and wait == math.inf:
            return Step.END
        return Wait(wait, is_idle=not self._in_flight)

    def add(self, *, now: float) -> PendingRequest | None:
        """Add the item from the inbox and return its request if it can be sent now."""
        index, item = self.inbox[0]
        self._open.add(index)
        try:
            self._delayed[index] = PendingRequest(index, item, self.operation.operation(item))
        except InvalidArgumentError as error:
            self._fail(self.operation.failure(index, item, error))
        self.inbox.popleft()
        # Since the item was read, the service may have throttled another request.
        is_ready = index in self._delayed and self.rate_limiter.wait(now) == 0
        return self._send(index, now) if is_ready else None

    def drain(self) -> None:
        """Record that there are no more items."""
        self._is_drained = True

    def stop(self) -> None:
        """Read nothing more; a throttled request fails with its last error."""
        self._is_stopped = True

    def report(self) -> S | Failed:
        """Remove and return the next outcome."""
        self._reporting = self._next if self.ordered else next(iter(self._done))
        return self._done.pop(self._reporting)

    def succeeded(self, request: PendingRequest, response: RawResponse[Any]) -> None:
        """Record a successful call."""
        index = request.index
        self.rate_limiter.completed(index)
        self._accepted += 1
        self._done[index] = self.operation.success(index, request.item, response)
        self._in_flight.pop(index, None)

    def failed(
        self, request: PendingRequest, error: ConversationsError, *, now: float, jitter: float
    ) -> None:
        """Record a failed call; a throttled request is delayed and sent again."""
        request = request.after(error)
        if isinstance(error, StatusError) and is_throttled(error.status, error.retry_after):
            self._throttled(request, error, now=now, jitter=jitter)
        else:
            self.rate_limiter.completed(request.index)
            self._accepted += isinstance(error, StatusError)
            self._fail(self._failure(request, error))
        self._in_flight.pop(request.index, None)

    def abandon(self, request: PendingRequest) -> None:
        """Record that a call ended without an outcome."""
        self.ordered = False  # later outcomes can't wait for this one
        self.rate_limiter.completed(request.index)
        self._in_flight.pop(request.index, None)

    def _throttled(
        self, request: PendingRequest, error: StatusError, *, now: float, jitter: float
    ) -> None:
        request = request.refused(self._accepted)
        retry_after = error.retry_after
        verdict: Resend | Stop = Stop()
        if can_repeat(self.retry, request.operation.request, request.delivery):
            verdict = next_attempt(
                self.retry, retry_after, attempt=request.refusals, jitter=jitter, remaining=math.inf
            )
        self.rate_limiter.throttled(
            request.index,
            pause=verdict.pause if isinstance(verdict, Resend) else retry_after or 0.0,
            now=now,
            error=None if retry_after is None else _without_traceback(error),
        )
        if isinstance(verdict, Stop):
            self._fail(self._failure(request, error, verdict.reason))
        else:
            self._delayed[request.index] = request

    def _failure(
        self, request: PendingRequest, error: ConversationsError, reason: str = ""
    ) -> Failed:
        final = request.final_error(error, reason)
        return self.operation.failure(request.index, request.item, final)

    def _fail(self, outcome: Failed) -> None:
        self._done[outcome.index] = outcome
        if self.stop_on_error:  # `or` could undo a `stop` in another thread
            self._is_stopped = True

    def _settle(self, *, is_stopped: bool) -> None:
        """Process the last report and, once nothing more is read, the throttled requests."""
        if self._reporting not in self._done:
            self._open.discard(self._reporting)
            self._next = self._reporting + 1
        if is_stopped:
            for request in self._delayed.values():
                if request.error is not None:
                    self._done[request.index] = self._failure(request, request.error)
        # Remove those that failed above, and one that failed just before an interrupt.
        for index in self._delayed.keys() & self._done.keys():
            self._delayed.pop(index)

    def _refuse(self, now: float, *, is_stopped: bool) -> bool:
        """Whether the service asks for a longer pause than allowed; fails what waits for it."""
        pause = self.rate_limiter.pause
        longest = 0.0 if is_stopped else self.retry.retry_after_max
        if pause.error is None or pause.until <= now + longest:
            return False
        seconds = pause.until - now
        reason = too_long(self.retry, seconds) if seconds > self.retry.retry_after_max else ""
        for request in tuple(self._delayed.values()):
            error = request.unsent_error(pause.error, seconds, reason)
            self._fail(self.operation.failure(request.index, request.item, error))
            self._delayed.pop(request.index)
        return True

    def _has_more(self) -> bool:
        if self._delayed:
            return True
        is_over = self._is_drained or self._is_stopped
        return not is_over and len(self._open) < self.size

    def _send(self, index: int, now: float) -> PendingRequest:
        request = self._in_flight[index] = self._delayed[index]
        delayed = iter(partial(self._delayed.pop, index), None)
        self.outbox.extend(islice(delayed, 1))
        self.rate_limiter.sent(index, now=now)
        return request


def _without_traceback(error: StatusError) -> StatusError:
    """A copy to store, because a traceback refers to everything that the call used."""
    return with_outcome(error, delivery=error.delivery, attempts=error.attempts, message=str(error))
