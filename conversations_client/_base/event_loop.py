"""Distinguishes asyncio from trio."""

import sys


def is_asyncio() -> bool:
    """Whether this code runs in an asyncio task."""
    # In trio's guest mode, asyncio runs too, but trio's code isn't in an asyncio task.
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:
        return False
