"""Whether an idle connection can still be used."""

import select
from typing import Protocol


class _Socket(Protocol):
    def fileno(self) -> int: ...


def is_readable(connection: _Socket) -> bool:
    """Whether an idle connection received anything: unexpected data, or its end."""
    number = connection.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))
