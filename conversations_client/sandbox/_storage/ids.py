"""Issues ids that sort by creation."""

import secrets
from collections.abc import Callable

from . import ulid
from .database import Database


def system_randomness() -> int:
    """Draw from the system's source of randomness.

    Returns:
        80 random bits.
    """
    return secrets.randbits(80)


class Ids:
    """Issues each id once, even after a restart."""

    def __init__(
        self, database: Database, *, clock: Callable[[], int], randomness: Callable[[], int]
    ) -> None:
        """Continue after the last id in the database.

        Args:
            database: Stores the last id.
            clock: Returns Unix time in milliseconds.
            randomness: Returns 80 random bits.
        """
        self._database = database
        self._clock = clock
        self._randomness = randomness

    def new(self, prefix: str) -> str:
        """Issue an id.

        Args:
            prefix: The kind of object, such as `conv`.

        Returns:
            An id whose ULID sorts after every earlier one.
        """
        with self._database.transaction():
            new = ulid.successor(
                self._database.setting("last_ulid"),
                now=self._clock(),
                randomness=self._randomness(),
            )
            self._database.set_setting("last_ulid", new)
        return f"{prefix}_{new}"
