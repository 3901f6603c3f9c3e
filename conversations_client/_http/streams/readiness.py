"""Waits until a socket is readable or writable."""

import math
import select
from typing import Final, Protocol

from conversations_client._base.wakeup import short_waits


class _Socket(Protocol):
    def fileno(self) -> int: ...


READABLE: Final = 1
WRITABLE: Final = 4
MAX_WAIT_SECONDS: Final = 24 * 60 * 60.0
"""The maximum wait, in seconds; operating systems don't support much longer waits."""


def is_ready(connection: _Socket, event: int, seconds: float | None) -> bool:
    """Wait until a socket is ready; False after the limit or after `MAX_WAIT_SECONDS`."""
    seconds = MAX_WAIT_SECONDS if seconds is None else min(seconds, MAX_WAIT_SECONDS)
    number = connection.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        readable, writable = [number] * (event == READABLE), [number] * (event == WRITABLE)
        waits = short_waits(seconds)
        return any(any(select.select(readable, writable, [], each)) for each in waits)
    poll = select.poll()
    poll.register(number, event)
    # Rounded up, because 0 would cause a busy loop at the end of a limit.
    return any(poll.poll(math.ceil(each * 1000)) for each in short_waits(seconds))


def is_readable(connection: _Socket) -> bool:
    """Whether unexpected data, or the end of the stream, has arrived on an idle connection."""
    return is_ready(connection, READABLE, 0)


class ReadableCheck:
    """A faster `is_readable` for one connection, because every request calls it.

    Args:
        connection: The connection; only one thread at a time may check it.
    """

    __slots__ = ("_connection", "_poll")

    def __init__(self, connection: _Socket) -> None:
        self._connection = connection
        self._poll = select.poll() if hasattr(select, "poll") else None
        number = connection.fileno()
        if self._poll is not None and number >= 0:
            self._poll.register(number, READABLE)

    def __call__(self) -> bool:
        """Whether data, or the end of the stream, has arrived, or the connection is closed."""
        if self._poll is None:
            return is_readable(self._connection)
        # The descriptor of a closed connection may now belong to another connection.
        return self._connection.fileno() < 0 or bool(self._poll.poll(0))
