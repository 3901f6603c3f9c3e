"""Writes the log to stderr; imported only if ORQ_LOG is set."""

import logging
from typing import Final

from .call_log import LOGGER

_HANDLER: Final = logging.StreamHandler()
_HANDLER.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


def log_to_stderr(level: str) -> None:
    """Set the log level, and log to stderr unless the program has its own handlers."""
    LOGGER.setLevel(level)
    if not LOGGER.hasHandlers():
        LOGGER.addHandler(_HANDLER)
