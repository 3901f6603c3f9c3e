"""The body of an answer as it comes in: decompressed, and never larger than allowed. No I/O."""

import zlib
from typing import Final, Protocol

from conversations_client.errors import Delivery, DisconnectError, ResponseTooLargeError

_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS


class _Decompressor(Protocol):
    @property
    def unused_data(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class BodyDecoder:
    """Collects an answer's bytes; raises TransportError as soon as they can't be right.

    Args:
        encoding: The answer's `Content-Encoding`; gzip is all that the client asks for.
        limit: How many bytes there may be after decompression.
    """

    def __init__(self, encoding: str, *, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._parts: list[bytes] = []
        self._gzip: _Decompressor | None = None
        if encoding.strip().lower() in {"gzip", "x-gzip"}:
            self._gzip = zlib.decompressobj(_GZIP_ONLY)
        elif encoding.strip().lower() not in {"", "identity"}:
            raise _broken("came in a content encoding that was not asked for")

    def feed(self, chunk: bytes) -> None:
        """Take what came in."""
        if self._gzip is None:
            self._keep(chunk)
        else:
            self._unzip(self._gzip, chunk)

    def whole(self) -> bytes:
        """All of it, once nothing more comes."""
        if self._gzip is not None and self._parts and not self._gzip.eof:
            raise _broken("ended in the middle of its compressed body")
        return b"".join(self._parts)

    def _unzip(self, gzip: "_Decompressor", chunk: bytes) -> None:
        # One byte more than allowed is enough to know, however much the chunk would grow to.
        try:
            self._keep(gzip.decompress(chunk, self._limit - self._size + 1))
        except zlib.error:
            raise _broken("could not be decompressed") from None
        if gzip.unused_data:
            raise _broken("went on after its compressed body")

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            raise ResponseTooLargeError(
                f"the answer is larger than max_response_bytes={self._limit}.",
                delivery=Delivery.UNKNOWN,
            )
        self._parts.append(part)


def _broken(what: str) -> DisconnectError:
    return DisconnectError(f"the answer {what}.", delivery=Delivery.UNKNOWN)
