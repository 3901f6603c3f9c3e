"""The outcomes of concurrent calls by an `AsyncClient`, with a task for each call in flight."""

import itertools
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from types import TracebackType
from typing import Final, Self, TypeAlias

import anyio
import anyio.lowlevel

from conversations_client._calls.arguments import CreateRequest
from conversations_client._engine.async_engine import AsyncEngine
from conversations_client._engine.async_wakeup import AsyncWakeup
from conversations_client.errors import StreamClosedError
from conversations_client.models import Conversation

from .background_tasks import BackgroundTasks
from .operations import ManyOperation, S
from .outcome import Failed
from .outcomes_base import (
    FinishedCall,
    ManyOptions,
    OutcomesBase,
    Result,
    checked_items,
)
from .pending_request import PendingRequest
from .shared_backoff import SharedBackoff
from .window import Step, Wait

AsyncCreateRequests: TypeAlias = Iterable[CreateRequest] | AsyncIterable[CreateRequest]
AsyncConversationIds: TypeAlias = Iterable[str | Conversation] | AsyncIterable[str | Conversation]

_ENDED: Final = (
    "An earlier read was cancelled while your async generator produced an item, which ended the "
    "generator: its other items were not sent. Pass an iterable that isn't a generator, or iterate "
    "in a separate task, and cancel only the wait for that task."
)


class AsyncOutcomes(OutcomesBase[S]):
    """The outcomes of concurrent calls: iterate inside the `async with` block, in one task.

    `create_many` yields `Created` or `Failed`, `retrieve_many` yields `Retrieved` or `Failed`, and
    `delete_many` yields `Deleted` or `Failed`.

    Items are read in your task, and each is read only when its request can be sent. When you leave
    the block, nothing more is read or sent, and the block waits for the calls in flight, or cancels
    them if your task is cancelled.

    Example:
        async with client.conversations.create_many([{"display_name": "Refunds"}]) as outcomes:
            async for outcome in outcomes:
                print(outcome)
    """

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
        super().__init__(engine, window)
        self._engine = engine
        self._items = _async_iterator(checked_items(items, Iterable | AsyncIterable, operation))
        self._count = itertools.count()
        self._tasks = BackgroundTasks()

    async def __aenter__(self) -> Self:
        self._open()
        self._news = AsyncWakeup()
        self._closing.add(self._news)
        self._stopping.add(self._news)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._stopping.set()
        try:
            if exc_type is None or issubclass(exc_type, Exception):
                await self._tasks.join()
        finally:
            self._tasks.cancel()
            with anyio.CancelScope(shield=True):
                await self._tasks.join()

    def __aiter__(self) -> AsyncIterator[S | Failed]:
        return self

    async def __anext__(self) -> S | Failed:
        self._begin_reading(anyio.get_current_task().id, "task")
        try:
            return await self._next_outcome()
        except BaseException:
            self._end_reading()
            raise

    async def _next_outcome(self) -> S | Failed:
        while True:
            match self._step():
                case PendingRequest():
                    self._tasks.start(self._call, skipped=self._skip)
                case Wait() as wait:
                    await self._wait(wait)
                case Step.READ:
                    await self._read()
                case Step.ADD:
                    if self._add() is not None:
                        self._tasks.start(self._call, skipped=self._skip)
                case Step.REPORT:
                    self._end_reading()
                    return self._window.report()  # last, so that an interrupt can't lose it
                case _:  # Step.END
                    self._check_end()
                    raise StopAsyncIteration

    def stop(self) -> None:
        """Stop reading items, and end all pauses.

        To get the outcomes of the calls in flight, keep iterating. A request that waits for another
        attempt is not sent again: it fails with its last error. You can call this method in any
        thread, task or signal handler. If your iterable is producing an item at that moment, the
        item is still sent.

        Example:
            async with client.conversations.create_many([{}, {}, {}]) as outcomes:
                async for outcome in outcomes:
                    if isinstance(outcome, Failed):
                        outcomes.stop()
        """
        self._stop()

    async def _read(self) -> None:
        try:
            item = await anext(self._items)
        except StopAsyncIteration:
            self._window.drain()
        except anyio.get_cancelled_exc_class():
            if isinstance(self._items, AsyncGenerator):
                self._fatal = self._fatal or StreamClosedError(_ENDED)
            raise
        else:
            self._window.inbox.append((next(self._count), item))

    async def _call(self) -> None:
        request = self._window.outbox.popleft()
        try:
            result: Result = await self._engine.send(request.operation, stop=self._stopping)
        except BaseException as error:
            self._record(request, error)  # it is raised again in the iterating task
            if isinstance(error, anyio.get_cancelled_exc_class()):
                raise
        else:
            self._record(request, result)

    def _skip(self, cancellation: BaseException) -> None:
        self._record(self._window.outbox.popleft(), cancellation)

    def _record(self, request: PendingRequest, result: Result) -> None:
        self._finished.append(FinishedCall(request, result))
        self._news.set_in_loop()

    async def _wait(self, wait: Wait) -> None:
        if wait.is_idle:
            await self._environment.sleep_async(wait.seconds, self._news)
        else:
            await self._news.wait(wait.seconds)


class _AsyncIterator(AsyncIterator[object]):
    """The items of a sync iterator, with a checkpoint before each so that other tasks can run."""

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
