"""Counts the deletions of a command and prints its errors."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field

from conversations_client import ConversationsError
from conversations_client.cli._display.output import print_error, print_message
from conversations_client.cli._exit_codes import ExitCode, exit_code
from conversations_client.cli._option_names import describe

Attempt = tuple[str | None, ConversationsError | None]
"""The ID of a conversation, and the error if it could not be deleted."""

_SHOWN_FAILURES: Final = 10


@define
class Deletion:
    """The results of a deletion.

    Attributes:
        deleted: The IDs of the deleted conversations.
        failures: The number of conversations that could not be deleted.
        worst: The exit code of the worst failure.
        is_stopped: Whether Ctrl-C was pressed.
    """

    deleted: list[str] = field(factory=list[str])
    failures: int = 0
    worst: ExitCode = ExitCode.DONE
    is_stopped: bool = False

    @contextmanager
    def summary(self, total: int) -> Generator[None, None, None]:
        """At the end of the block, print how many failures are not shown, or what Ctrl-C left."""
        try:
            yield
        except KeyboardInterrupt:
            print_message(f"Stopped. {len(self.deleted):,} of {total:,} are deleted.")
            raise
        if self.failures > _SHOWN_FAILURES:
            print_error(f"{self.failures:,} could not be deleted; the first ones are above.")

    def until_stopped(self, ids: Iterable[str]) -> Iterator[str]:
        """The IDs to delete, until Ctrl-C."""
        for conversation_id in ids:
            if self.is_stopped:
                return
            yield conversation_id

    def record_all(
        self, attempts: Iterator[Attempt], on_attempt: Callable[[Attempt], object] | None = None
    ) -> None:
        """Record every attempt. After Ctrl-C, only the requests in flight are awaited."""
        try:
            self._record_each(attempts, on_attempt)
        except KeyboardInterrupt:
            self.is_stopped = True
            self._record_each(attempts, on_attempt)
            raise

    def record(self, conversation_id: str | None, error: ConversationsError | None) -> None:
        """Count an attempt and print its error."""
        if error is None:
            self.deleted.append(str(conversation_id))
            return
        self.failures += 1
        self.worst = max(self.worst, exit_code(error))
        if self.failures <= _SHOWN_FAILURES:
            print_error(f"{conversation_id}: {describe(error)}")

    def _record_each(
        self, attempts: Iterator[Attempt], on_attempt: Callable[[Attempt], object] | None
    ) -> None:
        for attempt in attempts:
            self.record(*attempt)
            if on_attempt is not None:
                on_attempt(attempt)
