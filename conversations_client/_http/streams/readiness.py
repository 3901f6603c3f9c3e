"""Whether a socket is ready to be read or written."""

import math
import select
from typing import Final, Protocol


class _Socket(Protocol):
    def fileno(self) -> int: ...


READABLE: Final = 1
WRITABLE: Final = 4
LONGEST_WAIT: Final = 24 * 60 * 60.0
"""Seconds; the operating system can't count much further."""


def is_ready(connection: _Socket, event: int, seconds: float | None) -> bool:
    """Wait until a socket is ready; False if it isn't in time, or within `LONGEST_WAIT`."""
    seconds = LONGEST_WAIT if seconds is None else min(seconds, LONGEST_WAIT)
    number = connection.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        readable, writable = [number] * (event == READABLE), [number] * (event == WRITABLE)
        return any(select.select(readable, writable, [], seconds))
    poll = select.poll()
    poll.register(number, event)
    # Rounded up: a limit that isn't over must not make a busy loop.
    return bool(poll.poll(math.ceil(seconds * 1000)))


def is_readable(connection: _Socket) -> bool:
    """Whether an idle connection received anything: unexpected data, or its end."""
    return is_ready(connection, READABLE, 0)


class ReadableCheck:
    """`is_readable` for one connection, prepared: it is called before every request.

    Args:
        connection: The connection, which only one thread at a time may check.
    """

    __slots__ = ("_connection", "_poll")

    def __init__(self, connection: _Socket) -> None:
        self._connection = connection
        self._poll = select.poll() if hasattr(select, "poll") else None
        number = connection.fileno()
        if self._poll is not None and number >= 0:
            self._poll.register(number, READABLE)

    def __call__(self) -> bool:
        """Whether the connection received anything, has ended or is closed."""
        if self._poll is None:
            return is_readable(self._connection)
        # A closed connection's number may belong to another connection.
        return self._connection.fileno() < 0 or bool(self._poll.poll(0))
