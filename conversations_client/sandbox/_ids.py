"""Ids that sort by when they were given out."""

import secrets
from collections.abc import Callable

from conversations_client.sandbox import _ulid
from conversations_client.sandbox._database import Database


def system_randomness() -> int:
    """Draw from the system's randomness.

    Returns:
        80 random bits.
    """
    return secrets.randbits(80)


class Ids:
    """Gives out each id once, even after a restart."""

    def __init__(
        self, database: Database, *, clock: Callable[[], int], randomness: Callable[[], int]
    ) -> None:
        """Go on from the last id that the database knows of.

        Args:
            database: Where the last id is remembered.
            clock: Tells Unix time in milliseconds.
            randomness: Draws 80 random bits.
        """
        self._database = database
        self._clock = clock
        self._randomness = randomness

    def new(self, prefix: str) -> str:
        """Give out an id.

        Args:
            prefix: What it is the id of, such as `conv`.

        Returns:
            An id whose ULID sorts after every one given out before.
        """
        with self._database.transaction():
            ulid = _ulid.successor(
                self._database.setting("last_ulid"),
                now=self._clock(),
                randomness=self._randomness(),
            )
            self._database.set_setting("last_ulid", ulid)
        return f"{prefix}_{ulid}"
