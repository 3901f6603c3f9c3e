"""The outcomes of many calls with an `AsyncClient`: a task for each call in flight."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Self, TypeAlias

import anyio
import anyio.lowlevel

from conversations_client._calls.arguments import CreateRequest
from conversations_client._engine.engine import AsyncEngine

from .operations import ManyOperation, S
from .outcome import Failed
from .outcomes_base import (
    NO_MORE,
    FinishedCall,
    ManyOptions,
    OutcomesBase,
    Result,
    checked_items,
)
from .shared_backoff import SharedBackoff
from .window import PendingRequest, Step, Wait

AsyncCreateRequests: TypeAlias = Iterable[CreateRequest] | AsyncIterable[CreateRequest]
AsyncConversationIds: TypeAlias = Iterable[str] | AsyncIterable[str]


class AsyncOutcomes(OutcomesBase[S]):
    """The outcomes of many calls: iterate inside the `async with` block, in one task.

    `create_many` yields `Created` or `Failed`, `retrieve_many` `Retrieved` or `Failed`, and
    `delete_many` `Deleted` or `Failed`.

    Items are read in your task, each when there is room for it. However you leave the block,
    nothing more is read or sent, and it waits for the calls in flight to end; a cancellation
    cancels them.
    """

    # Not an async generator: one must not be abandoned with its tasks running, and needs closing.

    def __init__(
        self,
        engine: AsyncEngine,
        operation: ManyOperation[S],
        items: Iterable[object] | AsyncIterable[object],
        *,
        options: ManyOptions,
        backoff: SharedBackoff,
    ) -> None:
        window = options.window(operation, retry=engine.retry, backoff=backoff)
        super().__init__(engine.environment, window)
        self._engine = engine
        self._items = _async_iterator(checked_items(items, Iterable | AsyncIterable, operation))
        self._finished: deque[FinishedCall] = deque()
        self._news = anyio.Event()
        self._tasks = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        self._open()
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

    def __aiter__(self) -> AsyncIterator[S | Failed]:
        return self

    async def __anext__(self) -> S | Failed:
        while True:
            while self._finished:
                self._finish(self._finished.popleft())
            match self._step():
                case PendingRequest() as request:
                    self._tasks.start_soon(self._call, request)
                case Wait() as wait:
                    await self._wait(wait)
                case Step.READ:
                    added = self._add(await anext(self._items, NO_MORE))
                    if added is not None:
                        self._tasks.start_soon(self._call, added)
                case Step.END:
                    raise StopAsyncIteration
                case outcome:
                    return outcome

    async def _call(self, request: PendingRequest) -> None:
        try:
            result: Result = await self._engine.send(request.operation)
        except Exception as error:  # noqa: BLE001 - raised again in the iterating task
            result = error
        self._finished.append(FinishedCall(request, result))
        self._news.set()

    async def _wait(self, wait: Wait) -> None:
        if wait.is_idle:
            await self._environment.sleep_async(wait.seconds)
            return
        self._news = anyio.Event()
        with anyio.move_on_after(wait.seconds):
            await self._news.wait()


class _AsyncIterator(AsyncIterator[object]):
    """The items of a plain iterator, with a checkpoint before each so that other tasks run."""

    def __init__(self, items: Iterator[object]) -> None:
        self._items = items

    async def __anext__(self) -> object:
        await anyio.lowlevel.checkpoint()
        for item in self._items:
            return item
        raise StopAsyncIteration


def _async_iterator(items: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[object]:
    if isinstance(items, AsyncIterable):
        return aiter(items)
    return _AsyncIterator(iter(items))
