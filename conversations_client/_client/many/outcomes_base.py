"""The base class of the sync and async outcomes of concurrent calls."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeAlias, TypeVar

from attrs import frozen

from conversations_client._base.not_pickled import NotPickled
from conversations_client._base.public_dir import PublicDir
from conversations_client._base.wakeup import Wakeups
from conversations_client._calls.arguments import checked_max_in_flight, checked_rate
from conversations_client._calls.call import RawResponse
from conversations_client._calls.call_options import CallOptions
from conversations_client._calls.retry import Retry
from conversations_client._engine.call_log import log_pause
from conversations_client._engine.engine_base import EngineBase
from conversations_client._http.slot_queue import closed_error
from conversations_client.errors import (
    ClientClosedError,
    ConversationsError,
    InvalidArgumentError,
    StreamClosedError,
)

from .operations import ManyOperation, S
from .pending_request import PendingRequest
from .rate_limiter import RateLimiter
from .shared_backoff import SharedBackoff
from .window import Step, Wait, Window

T = TypeVar("T")

_SAME_PAUSE_SECONDS: Final = 1.0  # the responses that ask for one pause don't arrive at once

Result: TypeAlias = RawResponse[Any] | BaseException


@frozen(kw_only=True)
class ManyOptions:
    """The options of concurrent calls, not yet validated.

    Attributes:
        max_in_flight: The maximum number of requests in flight, including outcomes that have not
            been consumed yet.
        rate: The maximum number of requests per second; None for no limit.
        ordered: Whether outcomes are reported in the order of the items.
        stop_on_error: Whether to stop sending after a failure.
        call: The options for each call.
    """

    max_in_flight: int
    rate: float | None
    ordered: bool
    stop_on_error: bool
    call: CallOptions

    def window(
        self, operation: ManyOperation[S], *, retry: Retry, backoff: SharedBackoff
    ) -> Window[S]:
        """An empty window; raises InvalidArgumentError if an option is invalid."""
        return Window(
            size=checked_max_in_flight(self.max_in_flight),
            ordered=self.ordered,
            stop_on_error=self.stop_on_error,
            retry=retry,
            rate_limiter=RateLimiter(rate=checked_rate(self.rate), backoff=backoff),
            operation=operation.with_options(self.call),
        )


@frozen
class FinishedCall:
    """A finished call and its result."""

    request: PendingRequest
    result: Result


class OutcomesBase(NotPickled, PublicDir, Generic[S]):
    """The state of an iteration: whether it is open, its window and the finished calls."""

    _refusal = "copied or pickled: use the individual outcomes"

    def __init__(self, engine: EngineBase, window: Window[S]) -> None:
        self._environment = engine.environment
        self._closing = engine.closing
        self._window = window
        self._stopping = Wakeups()
        self._is_stopped = False  # whether no call in flight pauses anymore
        self._logged_until = -math.inf
        self._finished: deque[FinishedCall] = deque()
        self._is_open = False
        self._was_open = False
        self._fatal: BaseException | None = None  # raised after the last outcome
        self._reader: dict[str, object] = {}

    def __repr__(self) -> str:
        state = "open" if self._is_open else "closed" if self._was_open else "not opened"
        return f"<{type(self).__name__} of {self._window.operation.name}: {state}>"

    def _open(self) -> None:
        if self._was_open:
            name = self._window.operation.name
            raise StreamClosedError(f"Outcomes can be opened only once: call {name}() again.")
        self._is_open = self._was_open = True

    def _begin_reading(self, reader: object, kind: str) -> None:
        """Record which thread or task is reading; raises StreamClosedError if another one is."""
        # A single call, which is atomic. After an interrupt, the same reader may begin again.
        if self._reader.setdefault(kind, reader) != reader:
            raise StreamClosedError(
                f"Another {kind} is reading the outcomes: iterate over them in one {kind}."
            )

    def _end_reading(self) -> None:
        self._reader.clear()

    def _step(self) -> PendingRequest | Wait | Step:
        if not self._is_open:
            raise StreamClosedError("The outcomes are not open: iterate inside their with block.")
        while self._finished:
            # The call is removed last, so that an interrupt can't lose it; processing it twice is
            # harmless.
            self._finish(self._finished[0])
            self._finished.popleft()
        if self._window.is_stopped and not self._is_stopped:
            self._stopping.set()
            self._is_stopped = True
        step = self._window.step(self._environment.clock())
        if isinstance(step, Wait) and step.is_idle and self._closing.is_set:
            # After the wait, nothing could be sent.
            self._fatal = self._fatal or closed_error()
            self._window.stop()
            step = self._window.step(self._environment.clock())
        if isinstance(step, Wait) and step.seconds < math.inf:
            self._log_pause()
        return step

    def _log_pause(self) -> None:
        """Log a pause due to throttling, once even if several responses ask for it."""
        pause = self._window.rate_limiter.pause
        left = pause.until - self._environment.clock()
        if left > 0 and pause.until - self._logged_until > _SAME_PAUSE_SECONDS:
            self._logged_until = pause.until
            # The full length, unless another client began the pause a while ago.
            has_just_begun = pause.seconds - left < _SAME_PAUSE_SECONDS
            log_pause(self._window.operation.name, pause.seconds if has_just_begun else left)

    def _stop(self) -> None:
        """Stop reading and end all pauses; safe in any thread and signal handler."""
        self._window.stop()
        self._stopping.set()

    def _add(self) -> PendingRequest | None:
        return self._window.add(now=self._environment.clock())

    def _finish(self, call: FinishedCall) -> None:
        request, result, environment = call.request, call.result, self._environment
        if isinstance(result, RawResponse):
            self._window.succeeded(request, result)
            return
        if not isinstance(result, ConversationsError) or isinstance(result, ClientClosedError):
            # The error affects all requests: a hook raised it, or the client is closed. The calls
            # in flight may still succeed.
            self._fatal = self._fatal or result
            self._window.stop()
        if isinstance(result, ConversationsError):
            self._window.failed(
                request, result, now=environment.clock(), jitter=environment.jitter()
            )
        else:
            self._window.abandon(request)

    def _check_end(self) -> None:
        """Raise the error that affected all requests, if there was one."""
        if self._fatal is not None:
            raise self._fatal


def checked_items(items: T, kind: Any, operation: ManyOperation[Any]) -> T:  # noqa: ANN401
    """The items, if they are an iterable of individual items; raises InvalidArgumentError.

    Args:
        items: What the caller passed.
        kind: The accepted classes of iterables.
        operation: What to call for each item.
    """
    requirement = f"{operation.argument} must be an iterable of {operation.items}"
    name = type(items).__name__
    if not isinstance(items, kind):
        raise InvalidArgumentError(f"{requirement}, not {name}.")
    if isinstance(items, str | bytes | Mapping):
        # These are iterable, but every member would be an invalid item.
        raise InvalidArgumentError(f"{requirement}, not {name}: pass a list.")
    return items
