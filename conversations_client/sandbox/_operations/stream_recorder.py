"""`Idempotency-Key` for streams: a response is created once and its stream can be repeated."""

from typing import Final

from starlette.exceptions import HTTPException

from conversations_client.sandbox._schemas.requests import IDEMPOTENCY_HEADER
from conversations_client.sandbox._storage.idempotency_store import StoredResponse
from conversations_client.sandbox._storage.store import Store

from .idempotency import Key, first_response

LIMIT: Final = 4 * 1024 * 1024

_COMPLETE: Final = 200
_INCOMPLETE: Final = 409


def recorded_stream(store: Store, key: Key) -> bytes | None:
    """Look up the stream for a key.

    Args:
        store: The store of streams.
        key: The key.

    Returns:
        The complete stream; None if the key is new.

    Raises:
        HTTPException: 409 if the stream hasn't ended or was too long to be recorded, 422 if the key
            was used for a different request.
    """
    stored = first_response(store, key)
    if stored is not None and stored.status == _INCOMPLETE:
        raise HTTPException(
            409,
            f"The stream for this {IDEMPOTENCY_HEADER} can't be repeated: it is still running, its "
            "client disconnected, or it is too long. Retrieve the conversation to read the reply.",
        )
    return None if stored is None else stored.body


class StreamRecorder:
    """Records a stream while it is sent."""

    def __init__(self, store: Store, key: Key | None) -> None:
        """Reserve the key for a running stream.

        Args:
            store: The store of streams.
            key: The key; with None, nothing is recorded.
        """
        self._store = store
        self._key = key
        self._stream = bytearray()
        self._save(_INCOMPLETE)

    def record(self, chunk: bytes) -> None:
        """Record the next chunk; a stream over 4 MiB is not recorded.

        Args:
            chunk: The bytes.
        """
        if len(self._stream) + len(chunk) > LIMIT:
            self._key = None
        if self._key is not None:
            self._stream += chunk

    def finish(self) -> None:
        """Store the complete stream under its key."""
        self._save(_COMPLETE)

    def _save(self, status: int) -> None:
        if self._key is not None:
            response = StoredResponse(
                fingerprint=self._key.fingerprint, status=status, body=bytes(self._stream)
            )
            self._store.idempotency.save(self._key.value, response)
