"""Announces on stderr that a command waits because the service throttles it."""

import logging
import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from conversations_client import RetryInfo
from conversations_client.cli._display.output import print_note

_MIN_SECONDS: Final = 3.0
_THROTTLED: Final = frozenset({425, 429, 503})
_LOGGER: Final = logging.getLogger("conversations_client.throttling")


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _announce(getattr(record, "pause", 0.0))


@contextmanager
def announced_waits() -> Generator[None, None, None]:
    """In the block, announce the pauses of the calls that run concurrently."""
    handler, level = _Handler(), _LOGGER.level
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOGGER.setLevel(level)
        _LOGGER.removeHandler(handler)


def announce_retry(retry: RetryInfo) -> None:
    """Announce the pause of a single call."""
    if retry.response.status in _THROTTLED:
        _announce(retry.pause)


def _announce(seconds: float) -> None:
    if seconds >= _MIN_SECONDS:
        print_note(f"The service is throttling: waiting {math.ceil(seconds)} s.")
