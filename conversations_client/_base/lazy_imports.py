"""The modules that are imported on first use, for `_client.forks`."""

from importlib import import_module
from typing import Final

begun: Final[dict[str, None]] = {}
"""The modules whose import has begun, and may have ended."""


def begin_import(*names: str) -> None:
    """Import modules, each noted before: a fork waits for the threads that are at it."""
    for name in names:
        if name not in begun:
            begun[name] = None
            import_module(name)
