"""Stores responses by idempotency key."""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from .database import Database

EXPIRY_MS: Final = 24 * 60 * 60 * 1000


@frozen(kw_only=True)
class StoredResponse:
    """The first response for a key, and the fingerprint of its request."""

    fingerprint: str
    status: int
    body: bytes


class IdempotencyStore:
    """Responses by idempotency key; each expires after 24 hours."""

    def __init__(self, database: Database, *, clock: Callable[[], int]) -> None:
        """Store responses in a database.

        Args:
            database: The database.
            clock: Returns Unix time in milliseconds.
        """
        self._database = database
        self._clock = clock

    def find(self, key: str) -> StoredResponse | None:
        """Look up a response.

        Args:
            key: The idempotency key.

        Returns:
            The response; None if there is no response or it has expired.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT fingerprint, status, body FROM idempotent_response"
                " WHERE key = ? AND stored_at > ?",
                (key, self._clock() - EXPIRY_MS),
            ).fetchone()
        return None if row is None else StoredResponse(**row)

    def save(self, key: str, response: StoredResponse) -> None:
        """Store a response and delete expired responses.

        Args:
            key: The idempotency key; an earlier response is replaced.
            response: The response to store.
        """
        now = self._clock()
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM idempotent_response WHERE stored_at <= ?", (now - EXPIRY_MS,)
            )
            connection.execute(
                "REPLACE INTO idempotent_response (key, fingerprint, status, body, stored_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (key, response.fingerprint, response.status, response.body, now),
            )
