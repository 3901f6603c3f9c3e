"""The outcomes of many calls with a `Client`: a thread for each call in flight."""

import contextlib
import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Final, Self, TypeAlias

from conversations_client._calls.arguments import CreateRequest
from conversations_client._engine.engine import Engine

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

CreateRequests: TypeAlias = Iterable[CreateRequest]
ConversationIds: TypeAlias = Iterable[str]

_LONGEST_WAIT: Final = 3600.0  # seconds; threads can't wait for arbitrarily many


class Outcomes(OutcomesBase[S]):
    """The outcomes of many calls: iterate inside the `with` block, in one thread.

    `create_many` yields `Created` or `Failed`, `retrieve_many` `Retrieved` or `Failed`, and
    `delete_many` `Deleted` or `Failed`.

    Items are read in your thread, each when there is room for it. However you leave the block,
    nothing more is read or sent, and it waits for the calls in flight to end.
    """

    def __init__(
        self,
        engine: Engine,
        operation: ManyOperation[S],
        items: Iterable[object],
        *,
        options: ManyOptions,
        backoff: SharedBackoff,
    ) -> None:
        window = options.window(operation, retry=engine.retry, backoff=backoff)
        super().__init__(engine.environment, window)
        self._engine = engine
        self._items = iter(checked_items(items, Iterable, operation))
        self._finished: queue.SimpleQueue[FinishedCall] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(window.size, thread_name_prefix=operation.name)

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._threads.shutdown()

    def __iter__(self) -> Iterator[S | Failed]:
        return self

    def __next__(self) -> S | Failed:
        while True:
            while not self._finished.empty():
                self._finish(self._finished.get())
            match self._step():
                case PendingRequest() as request:
                    self._send(request)
                case Wait() as wait:
                    self._wait(wait)
                case Step.READ:
                    added = self._add(next(self._items, NO_MORE))
                    if added is not None:
                        self._send(added)
                case Step.END:
                    raise StopIteration
                case outcome:
                    return outcome

    def _send(self, request: PendingRequest) -> None:
        self._threads.submit(copy_context().run, self._call, request)

    def _call(self, request: PendingRequest) -> None:
        try:
            result: Result = self._engine.send(request.operation)
        except BaseException as error:  # noqa: BLE001 - raised again in the iterating thread
            result = error
        self._finished.put(FinishedCall(request, result))

    def _wait(self, wait: Wait) -> None:
        seconds = min(wait.seconds, _LONGEST_WAIT)
        if wait.is_idle:
            self._environment.sleep(seconds)
            return
        with contextlib.suppress(queue.Empty):
            self._finish(self._finished.get(timeout=seconds))
