"""Waits for imports before a fork.

A forked child has only the thread that forked. If another thread is importing a module at that
moment, the module stays locked in the child, where importing it would never return.
"""

import contextlib
import logging  # noqa: F401  # pyright: ignore[reportUnusedImport] - see below
import os
from importlib import import_module
from typing import Final

from conversations_client._base.lazy_imports import lazy_import, started_imports, starting

_CALLS: Final = (
    "conversations_client._engine.engine",
    "conversations_client._http.transport",
    "conversations_client._http.connections.sync_connection",
    "conversations_client._http.sync_pool",
    "conversations_client._json.conversion",
    "conversations_client._json.parser",
    "encodings.idna",
)


def import_for_calls() -> None:
    """Import the modules that every call needs."""
    lazy_import(*_CALLS)


def _wait_for_imports() -> None:
    finished: set[str] = set()
    while names := _unfinished(finished):
        for name in names:
            with contextlib.suppress(Exception):  # the importing thread gets the error
                import_module(name)
        finished |= names


def _unfinished(finished: set[str]) -> set[str]:
    """The imports to wait for. If there are none, no import starts until `_forked`."""
    starting.acquire()
    names = started_imports.keys() - finished
    if names:
        starting.release()
    return names


def _forked() -> None:
    with contextlib.suppress(RuntimeError):  # registered by another thread during the fork
        starting.release()


# Hooks run in reverse order of registration. Logging's hook acquires a lock that an import in
# another thread may need, so this hook must run first: it is registered after `import logging`.
getattr(os, "register_at_fork", dict)(  # Windows has no forks
    before=_wait_for_imports, after_in_parent=_forked, after_in_child=_forked
)
