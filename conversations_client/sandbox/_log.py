"""What the server has to say, under the sandbox's own name in the program's log."""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

LOGGER: Final = logging.getLogger("conversations_client.sandbox")

_UVICORN: Final = logging.getLogger("uvicorn.error")


class _Ours(logging.Filter):
    """Takes what one thread says: the program around it may have a uvicorn of its own."""

    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        if record.levelno == logging.INFO:
            # That it starts and stops is no news in a program that starts and stops it.
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.name = LOGGER.name
        if LOGGER.isEnabledFor(record.levelno):
            LOGGER.handle(record)
        return False


@contextmanager
def under_its_own_name() -> Generator[None, None, None]:
    """A block in which whatever uvicorn logs in this thread is the sandbox's."""
    ours = _Ours(threading.get_ident())
    _UVICORN.addFilter(ours)
    try:
        yield
    finally:
        _UVICORN.removeFilter(ours)
