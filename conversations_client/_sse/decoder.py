"""Server-sent events: bytes in, the data of each event out. No I/O."""

from collections import deque
from typing import Final

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class EventDecoder:
    """Cuts a `text/event-stream` into the data of its events, however it was cut on its way.

    Only `data` means anything here: the API puts an event's type into its JSON, and a POST can't
    be taken up again by an id.

    Args:
        limit: How many bytes one event may have: its data, and the line that is being read.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0  # of the data, each line with its newline
        self._ready: deque[bytes] = deque()
        self._skips_newline = False
        self._is_at_start = True
        self._is_overfull = False

    @property
    def is_overfull(self) -> bool:
        """Whether an event, after those that are ready, is larger than the limit."""
        return self._is_overfull and not self._ready

    def feed(self, chunk: bytes) -> None:
        """Take what came in."""
        if not chunk:
            return
        # A line that a carriage return ends doesn't wait for the newline that may follow it.
        if self._skips_newline:
            chunk = chunk.removeprefix(b"\n")
        self._skips_newline = chunk.endswith(b"\r")
        # Of bytes, unlike of strings, splitlines knows these two characters alone.
        lines = chunk.splitlines()
        rest = lines.pop() if lines and not chunk.endswith((b"\n", b"\r")) else b""
        for line in lines:
            self._line(line)
        if self._has_room(rest):
            self._rest += rest

    def end(self) -> None:
        """Take the end of the stream; the blank line before it may be missing."""
        self._line(b"")
        self._dispatch()

    def take(self) -> bytes | None:
        """The data of the next event, or None if more must come in first."""
        return self._ready.popleft() if self._ready else None

    def _line(self, end: bytes) -> None:
        if not self._has_room(end):
            return
        line = end
        if self._rest:
            line = bytes(self._rest) + end
            self._rest.clear()
        if self._is_at_start:
            self._is_at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            self._dispatch()
        elif line.startswith(b"data:"):
            self._add(line[5:].removeprefix(b" "))
        elif line == b"data":
            self._add(b"")

    def _add(self, data: bytes) -> None:
        self._data.append(data)
        self._size += len(data) + 1

    def _has_room(self, more: bytes) -> bool:
        # Lines count as they came, so that it is all the same how they were cut. Once overfull it
        # stays so: whatever comes after would be taken for the next event.
        if self._size + len(self._rest) + len(more) > self._limit:
            self._is_overfull = True
        return not self._is_overfull

    def _dispatch(self) -> None:
        if self._data and not self._is_overfull:
            self._ready.append(b"\n".join(self._data))
        self._data.clear()
        self._size = 0
