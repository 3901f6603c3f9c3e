"""Decompresses the body of a response within the allowed size. No I/O."""

import zlib
from typing import Final

_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS
_MAGIC: Final = b"\x1f\x8b"
_SLICE: Final = 2**16
_SLACK: Final = 1024  # bytes; gzip makes what it can't compress a little larger


class BodyDecoder:
    """Collects the bytes of a response.

    A gzip body may have several members and zeros after the last one, as gzip's own tools allow.

    Args:
        encoding: The `Content-Encoding` of the response; the client only requests gzip.
        limit: The most bytes after decompression.
        may_be_decoded: Whether a body that is labeled gzip, but isn't, is taken as it is: an HTTP
            client of the caller's may have decompressed it.
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
        codings = [each.strip().lower() for each in encoding.split(",")]
        match [each for each in codings if each not in {"", "identity"}]:
            case []:
                pass
            case ["gzip" | "x-gzip"]:
                self._gzip = _GzipMembers()
            case _:
                self.problem = "the content encoding was not requested"

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; returns whether more is useful."""
        if self._may_be_decoded and chunk and not self._received:
            self._detect(chunk)
        # In slices, because zlib copies the rest of its input after each member.
        start = 0
        while self.problem is None and start < len(chunk):
            self._add(chunk if len(chunk) <= _SLICE else chunk[start : start + _SLICE])
            start += _SLICE
        return self.problem is None

    def finish(self) -> bytes:
        """The whole body once there are no more chunks; empty if there is a problem."""
        if self.problem is None and self._gzip is not None and self._gzip.is_incomplete:
            self.problem = "the compressed body is incomplete"
        return b"" if self.problem else b"".join(self._parts)

    def _detect(self, first: bytes) -> None:
        if not _MAGIC.startswith(first[:2]):
            self._gzip = None

    def _add(self, chunk: bytes) -> None:
        self._received += len(chunk)
        # One byte more than allowed is enough, however large the chunk would become.
        allowed = self._limit - self._size + 1
        try:
            part = chunk if self._gzip is None else self._gzip.decompress(chunk, allowed)
        except zlib.error:
            self.problem = "the body could not be decompressed"
            return
        self._size += len(part)
        self._parts.append(part)
        # A compressed body could go on forever without becoming anything.
        if max(self._size, self._received - self._received // 64 - _SLACK) > self._limit:
            self.is_too_large = True
            self.problem = f"the body is larger than max_response_bytes={self._limit}"
            self._parts.clear()


class _GzipMembers:
    """Decompresses one gzip member after the other."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_ONLY)
        self._has_begun = False

    @property
    def is_incomplete(self) -> bool:
        return self._has_begun and not self._member.eof

    def decompress(self, data: bytes, most: int) -> bytes:
        """At least the next bytes of the body, at most so many; raises zlib.error."""
        parts: list[bytes] = []
        while data and most > 0:  # zlib takes 0 for no limit
            if self._member.eof:
                data = data.lstrip(b"\0")  # padding
                if not data:
                    break
                self._member = zlib.decompressobj(_GZIP_ONLY)
            self._has_begun = True
            parts.append(self._member.decompress(data, most))
            most -= len(parts[-1])
            data = self._member.unused_data
        return b"".join(parts)
