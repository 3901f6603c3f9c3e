"""`Idempotency-Key` for streams: a response is made once, and its stream can be had again."""

from typing import Final

from starlette.exceptions import HTTPException

from conversations_client.sandbox._idempotency import HEADER, Key, first_answer
from conversations_client.sandbox._kept_answers import KeptAnswer
from conversations_client.sandbox._store import Store

LIMIT: Final = 4 * 1024 * 1024

_STREAMED: Final = 200
_NOT_STREAMED: Final = 409


def recorded(store: Store, key: Key) -> bytes | None:
    """Look up the stream that was made under a key.

    Args:
        store: Where streams are kept.
        key: The key.

    Returns:
        The whole stream, None if the key is new.

    Raises:
        HTTPException: 409 for a key whose stream hasn't come to its end, or was too long to be
            kept, 422 for one that was used for another request.
    """
    kept = first_answer(store, key)
    if kept is not None and kept.status == _NOT_STREAMED:
        raise HTTPException(
            409,
            f"The response under this {HEADER} is still streamed, was left before its end, or is "
            "too long to be streamed again; retrieve the conversation for what it said.",
        )
    return None if kept is None else kept.body


class Recording:
    """A stream as it is made, for whoever asks again with its key."""

    def __init__(self, store: Store, key: Key | None) -> None:
        """Claim the key, which stands for a stream that is still going.

        Args:
            store: Where the stream will be kept.
            key: The key; with None nothing is recorded.
        """
        self._store = store
        self._key = key
        self._stream = bytearray()
        self._keep(_NOT_STREAMED)

    def add(self, chunk: bytes) -> None:
        """Record what is sent next; a stream over 4 MiB is not kept.

        Args:
            chunk: The bytes.
        """
        if len(self._stream) + len(chunk) > LIMIT:
            self._key = None
        if self._key is not None:
            self._stream += chunk

    def finish(self) -> None:
        """Let the key stand for the whole stream from now on."""
        self._keep(_STREAMED)

    def _keep(self, status: int) -> None:
        if self._key is not None:
            kept = KeptAnswer(
                fingerprint=self._key.fingerprint, status=status, body=bytes(self._stream)
            )
            self._store.kept_answers.keep(self._key.value, kept)
