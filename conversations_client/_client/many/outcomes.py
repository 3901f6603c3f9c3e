"""The outcomes of many creates, in both colours: read, send, wait and give as `_bulk` says."""

import contextlib
import queue
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from enum import Enum, auto
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

import anyio
import anyio.lowlevel
from attrs import frozen

from conversations_client._calls.arguments import CreateRequest, checked_max_in_flight, checked_rate
from conversations_client._calls.call import RawResponse
from conversations_client._calls.endpoints import create_one_of_many
from conversations_client._calls.operation import Operation
from conversations_client._engine.engine import AsyncEngine, Engine
from conversations_client._engine.environment import Environment
from conversations_client.errors import (
    ClientClosedError,
    ConversationsError,
    InvalidArgumentError,
    StreamClosedError,
)
from conversations_client.models import Conversation

from .rate_limiter import RateLimiter
from .shared_backoff import SharedBackoff
from .window import CreateOutcome, Row, Step, Wait, Window

T = TypeVar("T")

CreateRequests: TypeAlias = Iterable[CreateRequest]
AsyncCreateRequests: TypeAlias = Iterable[CreateRequest] | AsyncIterable[CreateRequest]

_Result: TypeAlias = RawResponse[Conversation] | BaseException

_LONGEST_WAIT: Final = 3600.0  # seconds; far longer ones are more than a thread can be told


def window_of(
    engine: Engine | AsyncEngine,
    *,
    pause: SharedBackoff,
    project_id: str | None,
    max_in_flight: int,
    rate: float | None,
    ordered: bool,
    stop_on_error: bool,
) -> Window:
    """An empty window; raises InvalidArgumentError."""

    def operation(request: object) -> Operation[Conversation]:
        return create_one_of_many(
            request, project_id=project_id, new_key=engine.environment.new_key
        )

    return Window(
        size=checked_max_in_flight(max_in_flight),
        ordered=ordered,
        stop_on_error=stop_on_error,
        retry=engine.retry,
        throttle=RateLimiter(rate=checked_rate(rate), pause=pause),
        operation=operation,
    )


class _NoMore(Enum):
    NO_MORE = auto()


_NO_MORE: Final = _NoMore.NO_MORE


@frozen
class _Ended:
    """A call that has ended, and how."""

    row: Row
    result: _Result


class _Bulk:
    """What the outcomes of both colours do alike."""

    def __init__(self, environment: Environment, window: Window) -> None:
        self._environment = environment
        self._window = window
        self._is_open = False
        self._was_open = False

    def _begin(self) -> None:
        if self._was_open:
            raise StreamClosedError("Outcomes are opened once: call create_many() for others.")
        self._is_open = self._was_open = True

    def _step(self) -> CreateOutcome | Row | Wait | Step:
        if not self._is_open:
            raise StreamClosedError("The outcomes are not open: iterate inside their with block.")
        return self._window.step(self._environment.clock())

    def _add(self, request: object) -> Row | None:
        if request is _NO_MORE:
            self._window.drain()
            return None
        return self._window.add(request, now=self._environment.clock())

    def _take(self, ended: _Ended) -> None:
        row, result, environment = ended.row, ended.result, self._environment
        if isinstance(result, RawResponse):
            self._window.created(row, result)
        elif isinstance(result, ConversationsError) and not isinstance(result, ClientClosedError):
            self._window.failed(row, result, now=environment.clock(), jitter=environment.jitter())
        else:
            # Nothing of this row alone: a hook has raised, or the client is closed.
            self._is_open = False
            raise result


class Outcomes(_Bulk):
    """The outcomes of `create_many`: iterate inside its `with` block, in one thread.

    The requests are read in that thread, each when there is room for it. Leaving the block,
    however it is left, reads and sends no more and waits for the calls in flight to end.
    """

    def __init__(self, engine: Engine, window: Window, requests: CreateRequests) -> None:
        super().__init__(engine.environment, window)
        self._engine = engine
        self._requests = iter(_checked(requests, Iterable))
        self._ended: queue.SimpleQueue[_Ended] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(window.size, thread_name_prefix="create_many")

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._threads.shutdown()

    def __iter__(self) -> Iterator[CreateOutcome]:
        return self

    def __next__(self) -> CreateOutcome:
        while True:
            while not self._ended.empty():
                self._take(self._ended.get())
            match self._step():
                case Row() as row:
                    self._send(row)
                case Wait() as wait:
                    self._wait(wait)
                case Step.READ:
                    added = self._add(next(self._requests, _NO_MORE))
                    if added is not None:
                        self._send(added)
                case Step.END:
                    raise StopIteration
                case outcome:
                    return outcome

    def _send(self, row: Row) -> None:
        self._threads.submit(copy_context().run, self._call, row)

    def _call(self, row: Row) -> None:
        try:
            result: _Result = self._engine.send(row.operation)
        except BaseException as error:  # noqa: BLE001 - raised again where the outcomes are read
            result = error
        self._ended.put(_Ended(row, result))

    def _wait(self, wait: Wait) -> None:
        seconds = min(wait.seconds, _LONGEST_WAIT)
        if wait.is_idle:
            self._environment.sleep(seconds)
            return
        with contextlib.suppress(queue.Empty):
            self._take(self._ended.get(timeout=seconds))


class AsyncOutcomes(_Bulk):
    """The outcomes of `create_many`: iterate inside its `async with` block, in one task.

    The requests are read in that task, each when there is room for it. Leaving the block,
    however it is left, reads and sends no more and waits for the calls in flight to end; a
    cancellation cuts them off.
    """

    # Not an async generator: one must not be left with its tasks running, and needs closing.

    def __init__(self, engine: AsyncEngine, window: Window, requests: AsyncCreateRequests) -> None:
        super().__init__(engine.environment, window)
        self._engine = engine
        self._requests = _async_iterator(_checked(requests, Iterable | AsyncIterable))
        self._ended: deque[_Ended] = deque()
        self._news = anyio.Event()
        self._tasks = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        self._begin()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        if exc_type is not None and not issubclass(exc_type, Exception):
            self._tasks.cancel_scope.cancel()
        # Without the error: the group would wrap it into another one.
        await self._tasks.__aexit__(None, None, None)

    def __aiter__(self) -> AsyncIterator[CreateOutcome]:
        return self

    async def __anext__(self) -> CreateOutcome:
        while True:
            while self._ended:
                self._take(self._ended.popleft())
            match self._step():
                case Row() as row:
                    self._tasks.start_soon(self._call, row)
                case Wait() as wait:
                    await self._wait(wait)
                case Step.READ:
                    added = self._add(await anext(self._requests, _NO_MORE))
                    if added is not None:
                        self._tasks.start_soon(self._call, added)
                case Step.END:
                    raise StopAsyncIteration
                case outcome:
                    return outcome

    async def _call(self, row: Row) -> None:
        try:
            result: _Result = await self._engine.send(row.operation)
        except Exception as error:  # noqa: BLE001 - raised again where the outcomes are read
            result = error
        self._ended.append(_Ended(row, result))
        self._news.set()

    async def _wait(self, wait: Wait) -> None:
        if wait.is_idle:
            await self._environment.sleep_async(wait.seconds)
            return
        self._news = anyio.Event()
        with anyio.move_on_after(wait.seconds):
            await self._news.wait()


class _AsyncIterator(AsyncIterator[CreateRequest]):
    """An iterator's items for tasks, which may do something else in between."""

    def __init__(self, items: Iterator[CreateRequest]) -> None:
        self._items = items

    async def __anext__(self) -> CreateRequest:
        await anyio.lowlevel.checkpoint()
        for item in self._items:
            return item
        raise StopAsyncIteration


def _async_iterator(requests: AsyncCreateRequests) -> AsyncIterator[CreateRequest]:
    if isinstance(requests, AsyncIterable):
        return aiter(requests)
    return _AsyncIterator(iter(requests))


def _checked(requests: T, kind: Any) -> T:  # noqa: ANN401 - a class, or several
    if not isinstance(requests, kind):
        raise InvalidArgumentError(
            f"requests must be an iterable of CreateRequest, not {type(requests).__name__}."
        )
    return requests
