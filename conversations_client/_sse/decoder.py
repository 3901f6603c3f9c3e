"""Decodes a stream of server-sent events into the data of each event. No I/O."""

from collections import deque
from typing import Final

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class EventDecoder:
    """Splits a `text/event-stream` into the data of its events, regardless of how it is chunked.

    It reads only `data` fields: the API puts the type of an event into its JSON, and a POST can't
    be resumed by an event ID.

    Args:
        limit: The maximum size of an event, in bytes: its data and the line being received.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._size = 0  # of the data, including newlines
        self._ready: deque[bytes] = deque()
        self._skips_newline = False
        self._is_at_start = True
        self._is_overfull = False

    @property
    def is_overfull(self) -> bool:
        """Whether all ready events have been taken and the next one is larger than the limit."""
        return self._is_overfull and not self._ready

    def feed(self, chunk: bytes) -> None:
        """Process the next bytes of the stream."""
        if not chunk:
            return
        # A carriage return ends a line immediately, even if the next chunk begins with the newline.
        if self._skips_newline:
            chunk = chunk.removeprefix(b"\n")
        self._skips_newline = chunk.endswith(b"\r")
        # Unlike str.splitlines(), bytes.splitlines() splits only at these two characters.
        lines = chunk.splitlines()
        rest = lines.pop() if lines and not chunk.endswith((b"\n", b"\r")) else b""
        if lines and (self._rest or self._is_at_start):
            lines[0] = self._completed(lines[0])
        self._process(lines)
        if self._has_room(len(rest)):
            self._rest += rest

    def end(self) -> None:
        """Process the end of the stream; the last blank line may be missing."""
        self._process([self._completed(b""), b""])

    def take(self) -> bytes | None:
        """The data of the next event, or None if it needs more bytes."""
        return self._ready.popleft() if self._ready else None

    def _completed(self, line: bytes) -> bytes:
        """The line, including its beginning from earlier chunks."""
        line = bytes(self._rest) + line
        self._rest.clear()
        if self._is_at_start:
            self._is_at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return line

    def _process(self, lines: list[bytes]) -> None:
        data = self._data
        for line in lines:
            if not line:
                if data and not self._is_overfull:
                    self._ready.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
                self._size = 0
            elif self._has_room(len(line)):
                if line.startswith(b"data: "):
                    data.append(line[6:])
                elif line.startswith(b"data:"):
                    data.append(line[5:])
                elif line == b"data":
                    data.append(b"")
                else:
                    continue
                self._size += len(data[-1]) + 1

    def _has_room(self, more: int) -> bool:
        # Once over the limit, the decoder stays over it: it would mistake the rest of the event
        # for a new one.
        if self._size + len(self._rest) + more > self._limit:
            self._is_overfull = True
        return not self._is_overfull
