"""Imports modules on first use, and records them for `_client.fork_safety`."""

from _thread import RLock  # `threading` is not needed for it
from importlib import import_module
from typing import Final

started_imports: Final[dict[str, None]] = {}
"""The modules whose import has started, and may have finished."""

starting: Final = RLock()
"""Held while an import is recorded and during a fork, so that no import starts during a fork."""

_WAIT_LIMIT_SECONDS: Final = 1.0
"""Limited because another package's fork hook may wait for the importing thread."""


def lazy_import(*names: str) -> None:
    """Import modules. Each is recorded first, so that a fork can wait for the import."""
    new = [name for name in names if name not in started_imports]
    if new:
        _record(new)
    for name in new:
        import_module(name)


def _record(names: list[str]) -> None:
    is_acquired = starting.acquire(timeout=_WAIT_LIMIT_SECONDS)
    try:
        started_imports.update(dict.fromkeys(names))
    finally:
        if is_acquired:
            starting.release()
