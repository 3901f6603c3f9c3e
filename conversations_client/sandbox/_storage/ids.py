"""Generates IDs that sort by creation time."""

import secrets
from collections.abc import Callable

from . import ulid
from .database import Database


def system_randomness() -> int:
    """Read random bits from the operating system.

    Returns:
        80 random bits.
    """
    return secrets.randbits(80)


class Ids:
    """Generates unique IDs, even after a restart."""

    def __init__(
        self, database: Database, *, clock: Callable[[], int], randomness: Callable[[], int]
    ) -> None:
        """Continue after the last ID in the database.

        Args:
            database: Stores the last ID.
            clock: Returns Unix time in milliseconds.
            randomness: Returns 80 random bits.
        """
        self._database = database
        self._clock = clock
        self._randomness = randomness

    def new(self, prefix: str) -> str:
        """Generate an ID.

        Args:
            prefix: The kind of object, such as `conv`.

        Returns:
            An ID whose ULID sorts after all earlier ULIDs.
        """
        with self._database.transaction():
            new = ulid.successor(
                self._database.setting("last_ulid"),
                now=self._clock(),
                randomness=self._randomness(),
            )
            self._database.set_setting("last_ulid", new)
        return f"{prefix}_{new}"
