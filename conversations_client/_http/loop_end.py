"""Closes the idle connections of an async client when their event loop ends."""

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class _Pool(Protocol):
    async def stop_reuse(self) -> None: ...


class LoopEnd:
    """Closes the idle connections of a pool when the current event loop ends.

    Before an event loop ends, it closes the async generators that were started in it. This object
    is registered as one of them: event loops refer to them weakly and only call `aclose`. A real
    generator that is garbage collected earlier would cause a task, and on trio a warning.

    Args:
        pool: The pool. It must refer to this object, which refers to the pool weakly.
    """

    def __init__(self, pool: _Pool) -> None:
        self._pool = ref(pool)
        self._pid = os.getpid()
        register = sys.get_asyncgen_hooks().firstiter
        if register is not None:
            # asyncio warns if the loop has closed its generators already.
            with contextlib.suppress(ResourceWarning):
                register(cast("AsyncGenerator[Any]", self))

    async def aclose(self) -> None:
        """Close the idle connections; called by the event loop."""
        pool = self._pool()
        # A forked child must not close its parent's connections.
        if pool is not None and self._pid == os.getpid():
            await pool.stop_reuse()
