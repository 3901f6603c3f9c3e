"""The outcomes of concurrent calls by a `Client`, with a thread for each call in flight."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from threading import get_ident
from types import TracebackType
from typing import Self, TypeAlias

from conversations_client._base.wakeup import Wakeup
from conversations_client._calls.arguments import CreateRequest
from conversations_client._engine.engine import Engine
from conversations_client.models import Conversation

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

CreateRequests: TypeAlias = Iterable[CreateRequest]
ConversationIds: TypeAlias = Iterable[str | Conversation]


class Outcomes(OutcomesBase[S]):
    """The outcomes of concurrent calls: iterate inside the `with` block, in one thread.

    `create_many` yields `Created` or `Failed`, `retrieve_many` yields `Retrieved` or `Failed`, and
    `delete_many` yields `Deleted` or `Failed`.

    Items are read in your thread, and each is read only when its request can be sent. When you
    leave the block, nothing more is read or sent, and the block waits for the calls in flight.

    Example:
        with client.conversations.create_many([{"display_name": "Refunds"}]) as outcomes:
            for outcome in outcomes:
                print(outcome)
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
        super().__init__(engine, window)
        self._engine = engine
        self._items = enumerate(checked_items(items, Iterable, operation))
        self._news = Wakeup()
        self._is_stepping = False
        self._threads = ThreadPoolExecutor(window.size, thread_name_prefix=operation.name)

    def __enter__(self) -> Self:
        self._open()
        self._closing.add(self._news)
        self._stopping.add(self._news)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._stopping.set()
        self._threads.shutdown()

    def __iter__(self) -> Iterator[S | Failed]:
        return self

    def __next__(self) -> S | Failed:
        self._begin_reading(get_ident(), "thread")
        try:
            return self._next_outcome()
        except BaseException:
            self._end_reading()
            raise

    def _next_outcome(self) -> S | Failed:
        if self._is_stepping:
            self._send_again()
        self._is_stepping = True
        while True:
            match self._step():
                case PendingRequest():
                    self._send()
                case Wait() as wait:
                    self._wait(wait)
                case Step.READ:
                    self._read()
                case Step.ADD:
                    if self._add() is not None:
                        self._send()
                case Step.REPORT:
                    self._is_stepping = False
                    self._end_reading()
                    return self._window.report()  # last, so that an interrupt can't lose it
                case _:  # Step.END
                    self._check_end()
                    raise StopIteration

    def stop(self) -> None:
        """Stop reading items, and end all pauses.

        To get the outcomes of the calls in flight, keep iterating. A request that waits for another
        attempt is not sent again: it fails with its last error. You can call this method in any
        thread, task or signal handler. If your iterable is producing an item at that moment, the
        item is still sent.

        Example:
            with client.conversations.create_many([{}, {}, {}]) as outcomes:
                for outcome in outcomes:
                    if isinstance(outcome, Failed):
                        outcomes.stop()
        """
        self._stop()

    def _read(self) -> None:
        # A single call, so that an interrupt after reading an item can't lose it.
        self._window.inbox.extend(islice(self._items, 1))
        if not self._window.inbox:
            self._window.drain()

    def _send(self) -> None:
        self._threads.submit(copy_context().run, self._call)

    def _send_again(self) -> None:
        """Send the requests that an error or interrupt in the last step left in the outbox."""
        for _ in tuple(self._window.outbox):
            self._send()

    def _call(self) -> None:
        try:
            request = self._window.outbox.popleft()
        except IndexError:
            return  # after an interrupt, another thread has already sent the request
        try:
            result: Result = self._engine.send(request.operation, stop=self._stopping)
        except BaseException as error:  # noqa: BLE001 - raised again in the iterating thread
            result = error
        self._finished.append(FinishedCall(request, result))
        self._news.set()

    def _wait(self, wait: Wait) -> None:
        if wait.is_idle:
            self._environment.sleep(wait.seconds, self._news)
        else:
            self._news.wait(wait.seconds)
