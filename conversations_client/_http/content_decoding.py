"""Decompresses the body of a response within the allowed size. No I/O."""

import sys
import zlib
from typing import Final

_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS
_MAGIC: Final = b"\x1f\x8b"
_SLICE: Final = 2**16
_SLACK: Final = 1024  # bytes; gzip output is slightly larger than incompressible input


class BodyDecoder:
    """Collects and decompresses the body of a response.

    Like gzip itself, it accepts several members and zeros after the last one.

    Args:
        encoding: The `Content-Encoding` of the response; the client only requests gzip.
        limit: The maximum size after decompression, in bytes.
        may_be_decoded: Whether to accept an uncompressed body that is labeled gzip: an injected
            HTTP client may have decompressed it.
    """

    def __init__(self, encoding: str, *, limit: int, may_be_decoded: bool = False) -> None:
        self._limit = limit
        self._size = 0
        self._received = 0
        self._parts: list[bytes] = []
        self._gzip: _GzipMembers | None = None
        self._may_be_decoded = may_be_decoded
        self.problem: str | None = None
        """Why the body can't be decoded; None if nothing is wrong so far."""
        self.is_too_large = False
        if not encoding:
            return
        codings = [each.strip().lower() for each in encoding.split(",")]
        match [each for each in codings if each not in {"", "identity"}]:
            case []:
                pass
            case ["gzip" | "x-gzip"]:
                self._gzip = _GzipMembers()
            case _:
                self.problem = "the content encoding was not requested"

    def feed(self, chunk: bytes) -> bool:
        """Process a chunk; returns whether more chunks are needed."""
        if self._may_be_decoded and chunk and not self._received:
            self._detect(chunk)
        # In slices, because zlib copies the remaining input after each member.
        start = 0
        while self.problem is None and start < len(chunk):
            self._add(chunk if len(chunk) <= _SLICE else chunk[start : start + _SLICE])
            start += _SLICE
        return self.problem is None

    def finish(self) -> bytes:
        """The complete body, after the last chunk; empty if there is a problem."""
        if self.problem is None and self._gzip is not None and self._gzip.is_incomplete:
            self.problem = "the compressed body is incomplete"
        return b"" if self.problem else b"".join(self._parts)

    def _detect(self, first: bytes) -> None:
        if not _MAGIC.startswith(first[:2]):
            self._gzip = None

    def _add(self, chunk: bytes) -> None:
        self._received += len(chunk)
        # One byte more than the limit is enough to detect a body that is too large.
        allowed = min(self._limit - self._size + 1, sys.maxsize)
        try:
            part = chunk if self._gzip is None else self._gzip.decompress(chunk, allowed)
        except zlib.error:
            self.problem = "the body could not be decompressed"
            return
        self._size += len(part)
        self._parts.append(part)
        # A compressed stream may never end and yet produce no output.
        if max(self._size, self._received - self._received // 64 - _SLACK) > self._limit:
            self.is_too_large = True
            self.problem = f"the body is larger than max_response_bytes={self._limit}"
            self._parts.clear()


class _GzipMembers:
    """Decompresses gzip members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_ONLY)
        self._has_begun = False

    @property
    def is_incomplete(self) -> bool:
        return self._has_begun and not self._member.eof

    def decompress(self, data: bytes, limit: int) -> bytes:
        """Decompress more data into at most `limit` bytes; raises zlib.error."""
        parts: list[bytes] = []
        while data and limit > 0:  # for zlib, 0 means no limit
            if self._member.eof:
                data = data.lstrip(b"\0")  # padding
                if not data:
                    break
                self._member = zlib.decompressobj(_GZIP_ONLY)
            self._has_begun = True
            parts.append(self._member.decompress(data, limit))
            limit -= len(parts[-1])
            data = self._member.unused_data
        return b"".join(parts)
