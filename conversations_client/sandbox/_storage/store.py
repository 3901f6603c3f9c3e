"""The store of the sandbox."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

from .clock import system_clock
from .conversations import Conversations
from .database import Database
from .idempotency_store import IdempotencyStore
from .ids import Ids, system_randomness
from .messages import Messages
from .tool_calls import ToolCalls


class Store:
    """Stores all data of the sandbox. It is thread-safe."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        content: bytes | None = None,
        revision: int = 2,
        clock: Callable[[], int] = system_clock,
        randomness: Callable[[], int] = system_randomness,
    ) -> None:
        """Open the store.

        Args:
            path: The database file; its folder must exist. None stores everything in memory.
            content: The content of an in-memory store, from `content`; None if it is empty.
            revision: The API revision of the conversations, 1 or 2.
            clock: Returns Unix time in milliseconds.
            randomness: Returns 80 random bits.

        Raises:
            OSError: The file can't be opened, isn't a sandbox database, or belongs to a
                different revision.
        """
        self._database = Database(path, content=content)
        self.clock = clock
        self.ids = Ids(self._database, clock=clock, randomness=randomness)
        try:
            self._check_revision(revision)
        except OSError:
            self.close()
            raise
        user_id = self._stable_user_id()
        self.conversations = Conversations(self._database, self.ids, clock=clock, user_id=user_id)
        self.messages = Messages(self._database, self.ids, clock=clock, user_id=user_id)
        self.tool_calls = ToolCalls(self._database)
        self.idempotency = IdempotencyStore(self._database, clock=clock)

    def close(self) -> None:
        """Close the file. Closing it again has no effect."""
        self._database.close()

    def content(self) -> bytes | None:
        """Copy the content of an in-memory store.

        Returns:
            The content; None for a file.
        """
        return self._database.content()

    def transaction(self) -> AbstractContextManager[object]:
        """Run several calls as one transaction.

        Returns:
            A context manager that commits at its end and rolls back after an exception.
        """
        return self._database.transaction()

    def stable_api_key(self, generated: str) -> str:
        """Return the API key of the database, so that it stays the same after a restart.

        Args:
            generated: The key to store if the database has none.

        Returns:
            The stored key.
        """
        with self._database.transaction():
            key = self._database.setting("api_key")
            if key is None:
                key = generated
                self._database.set_setting("api_key", key)
        return key

    def _check_revision(self, revision: int) -> None:
        """Reject a different revision, whose responses can't represent the stored conversations."""
        with self._database.transaction():
            stored = self._database.setting("revision")
            if stored is None:
                # A file with a user but no revision is from a version that had no revisions.
                stored = str(revision if self._database.setting("user_id") is None else 2)
                self._database.set_setting("revision", stored)
        if stored != str(revision):
            raise OSError(
                f"The database belongs to revision {stored} of the API, not {revision}. Choose the "
                "same revision or another file."
            )

    def _stable_user_id(self) -> str:
        """Return the ID of the database's only user, which never changes."""
        with self._database.transaction():
            user_id = self._database.setting("user_id")
            if user_id is None:
                user_id = self.ids.new("user")
                self._database.set_setting("user_id", user_id)
        return user_id
