"""Which event loop runs: one of asyncio, or one of trio."""

import sys


def is_asyncio() -> bool:
    """Whether this code runs in a task of asyncio."""
    # As a guest of asyncio, trio runs while asyncio does, but in no task of it.
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:
        return False
