"""The answers that idempotency keys stand for, in SQLite."""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from conversations_client.sandbox._database import Database

KEPT_FOR_MS: Final = 24 * 60 * 60 * 1000


@frozen(kw_only=True)
class KeptAnswer:
    """The answer first given under a key, and the fingerprint of the request it answered."""

    fingerprint: str
    status: int
    body: bytes


class KeptAnswers:
    """Answers by idempotency key, each for 24 hours."""

    def __init__(self, database: Database, *, clock: Callable[[], int]) -> None:
        """Keep answers in a database.

        Args:
            database: Where to keep them.
            clock: Tells Unix time in milliseconds.
        """
        self._database = database
        self._clock = clock

    def find(self, key: str) -> KeptAnswer | None:
        """Look an answer up.

        Args:
            key: The idempotency key.

        Returns:
            The answer, None if there is none or its time is over.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT fingerprint, status, body FROM kept_answer WHERE key = ? AND kept_at > ?",
                (key, self._clock() - KEPT_FOR_MS),
            ).fetchone()
        return None if row is None else KeptAnswer(**row)

    def keep(self, key: str, answer: KeptAnswer) -> None:
        """Keep an answer, and forget those whose time is over.

        Args:
            key: The idempotency key; an answer that it stood for is replaced.
            answer: What to keep.
        """
        now = self._clock()
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM kept_answer WHERE kept_at <= ?", (now - KEPT_FOR_MS,))
            connection.execute(
                "REPLACE INTO kept_answer (key, fingerprint, status, body, kept_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (key, answer.fingerprint, answer.status, answer.body, now),
            )
