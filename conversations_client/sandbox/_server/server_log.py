"""The server's log records, which have the name of the sandbox's logger."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

LOGGER: Final = logging.getLogger("conversations_client.sandbox")

_UVICORN: Final = logging.getLogger("uvicorn.error")


class _RenameRecords(logging.Filter):
    """Renames the records of one thread: the program may have a uvicorn of its own."""

    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        if record.levelno == logging.INFO:
            # The start and the stop are no news to the program that starts and stops the sandbox.
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.name = LOGGER.name
        if LOGGER.isEnabledFor(record.levelno):
            LOGGER.handle(record)
        return False


@contextmanager
def sandbox_logger() -> Generator[None, None, None]:
    """A block in which the records of uvicorn in this thread go to the sandbox's logger."""
    rename = _RenameRecords(threading.get_ident())
    _UVICORN.addFilter(rename)
    try:
        yield
    finally:
        _UVICORN.removeFilter(rename)
