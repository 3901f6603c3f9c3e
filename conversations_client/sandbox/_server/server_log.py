"""Routes the server's log records to the sandbox's logger."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

LOGGER: Final = logging.getLogger("conversations_client.sandbox")

_UVICORN: Final = logging.getLogger("uvicorn.error")


class _RenameRecords(logging.Filter):
    """Renames the records from one thread, because the program may run another uvicorn server."""

    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        if record.levelno == logging.INFO:
            # The program itself starts and stops the sandbox, so it doesn't need these records.
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.name = LOGGER.name
        if LOGGER.isEnabledFor(record.levelno):
            LOGGER.handle(record)
        return False


@contextmanager
def sandbox_logger() -> Generator[None, None, None]:
    """Within the block, uvicorn's records from this thread go to the sandbox's logger."""
    rename = _RenameRecords(threading.get_ident())
    _UVICORN.addFilter(rename)
    try:
        yield
    finally:
        _UVICORN.removeFilter(rename)
