"""Background tasks on asyncio and trio."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

import anyio

from conversations_client._base.event_loop import is_asyncio


class BackgroundTasks:
    """Starts, cancels and awaits tasks.

    A task group can't replace this class: it must not be open across a `yield`, because closing
    the async generator early would cancel the task that iterates over it.
    """

    def __init__(self) -> None:
        self._scopes: set[anyio.CancelScope] = set()
        self._tasks: set[asyncio.Task[None]] = set()  # asyncio has only weak references to tasks
        self._news: anyio.Event | None = None

    def start(
        self,
        function: Callable[[], Awaitable[None]],
        *,
        skipped: Callable[[BaseException], None],
    ) -> None:
        """Run a function in a task.

        Args:
            function: The function, which must not raise.
            skipped: Called with the cancellation if the task is cancelled before its first step,
                so that the function doesn't run at all.
        """
        scope = anyio.CancelScope()
        try:
            self._scopes.add(scope)
            self._start(function, scope, skipped)
        except BaseException:
            self._end(scope)  # `join` would wait forever for a task that was not started
            raise

    def cancel(self) -> None:
        """Cancel every task."""
        for scope in tuple(self._scopes):
            scope.cancel()

    async def join(self) -> None:
        """Wait for every task to end."""
        while self._scopes:
            self._news = anyio.Event()
            await self._news.wait()

    def _start(
        self,
        function: Callable[[], Awaitable[None]],
        scope: anyio.CancelScope,
        skipped: Callable[[BaseException], None],
    ) -> None:
        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if scope in self._scopes:  # `_run` has not begun
                skipped(asyncio.CancelledError())
                self._end(scope)

        if is_asyncio():
            task = asyncio.get_running_loop().create_task(self._run(function, scope))
            self._tasks.add(task)
            task.add_done_callback(done)
        else:
            trio: Any = sys.modules["trio"]
            trio.lowlevel.spawn_system_task(self._run, function, scope, context=copy_context())

    async def _run(self, function: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await function()
        finally:
            self._end(scope)

    def _end(self, scope: anyio.CancelScope) -> None:
        self._scopes.discard(scope)
        if self._news is not None:
            self._news.set()
