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
        # With the tasks, because asyncio has only weak references to them.
        self._running: dict[anyio.CancelScope, asyncio.Task[None] | None] = {}
        self._news: anyio.Event | None = None

    def start(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run a function in a task. The function must not raise."""
        scope = anyio.CancelScope()
        self._running[scope] = None
        if is_asyncio():
            task = asyncio.get_running_loop().create_task(self._run(function, scope))
            self._running[scope] = task
            # A task that is cancelled before its first step doesn't run at all.
            task.add_done_callback(lambda _: self._end(scope))
        else:
            trio: Any = sys.modules["trio"]
            trio.lowlevel.spawn_system_task(self._run, function, scope, context=copy_context())

    def cancel(self) -> None:
        """Cancel every task."""
        for scope in tuple(self._running):
            scope.cancel()

    async def join(self) -> None:
        """Wait for every task to end."""
        while self._running:
            self._news = anyio.Event()
            await self._news.wait()

    async def _run(self, function: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await function()
        finally:
            self._end(scope)

    def _end(self, scope: anyio.CancelScope) -> None:
        self._running.pop(scope, None)
        if self._news is not None:
            self._news.set()
