"""Imports modules on first use, and records them for `_client.forks`."""

from importlib import import_module
from typing import Final

started_imports: Final[dict[str, None]] = {}
"""The modules whose import has started; it may have finished."""


def lazy_import(*names: str) -> None:
    """Import modules. Each is recorded first, so that a fork can wait for the import."""
    for name in names:
        if name not in started_imports:
            started_imports[name] = None
            import_module(name)
