"""Waits for imports before a fork.

A forked child has none of its parent's other threads. A module that one of them was importing stays
locked in the child, which would wait for it forever.
"""

import contextlib
import logging  # noqa: F401  # pyright: ignore[reportUnusedImport] - see below
import os
from importlib import import_module
from typing import Final

from conversations_client._base.lazy_imports import begin_import, begun

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
    """Import what every call needs."""
    begin_import(*_CALLS)


def _wait_for_imports() -> None:
    ended: set[str] = set()
    while names := begun.keys() - ended:
        for name in names:
            with contextlib.suppress(Exception):  # the thread that imports it has the error
                import_module(name)
        ended |= names


# Hooks run from the last registered to the first. That of logging takes a lock, which an import in
# another thread may need: this one must be registered after it.
getattr(os, "register_at_fork", dict)(before=_wait_for_imports)  # Windows has no forks
