"""Deletes conversations, several at once, and prints the ID of each one."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Final

from attrs import define, field

from conversations_client import (
    Client,
    ConversationsError,
    Deleted,
    DeleteOutcome,
    Failed,
    InvalidArgumentError,
    Outcomes,
    Retry,
    StatusError,
)
from conversations_client.cli._commands.deletion_counts import Deletion
from conversations_client.cli._display.output import Format, Output, print_error, print_message
from conversations_client.cli._exit_codes import exit_code
from conversations_client.cli._long_waits import asks_for_long_wait
from conversations_client.cli._option_names import describe as describe_error
from conversations_client.cli._signals import before_forced_end, waiting_for_requests

_MAX_CONSECUTIVE_FAILURES: Final = 50
_ID_STATUSES: Final = frozenset({400, 404, 409, 410, 422})


def _ignore(*_: object) -> None:
    pass


@define(kw_only=True)
class DeletionRun:
    """Deletes conversations, and continues if it can't delete one of them.

    It stops if the service asks for a longer wait than the client allows.

    An interrupt may stop a method at any line. The next call to the same method completes the step.

    Attributes:
        ids: The IDs, without duplicates.
        deletion: The results.
        output: Where the IDs of the deleted conversations are printed: all of them at the end as
            JSON, otherwise each one as soon as it is deleted.
        describe: Returns the line about a deleted conversation, for people. Default: no line.
        rate: The maximum number of conversations per second; None for no limit.
        max_in_flight: The maximum number of requests in flight.
        on_outcome: Called after each outcome.
        on_end: Called before any message about the whole run is printed.
    """

    ids: Collection[str]
    deletion: Deletion
    output: Output
    describe: Callable[[str], str] | None = None
    rate: float | None = None
    max_in_flight: int = 16
    on_outcome: Callable[[object], object] = _ignore
    on_end: Callable[[], object] = _ignore
    _read: int = 0
    _recorded: int = 0
    _printed: int = 0
    _is_printed: bool = False
    _consecutive_failures: int = 0
    _retry: Retry = field(factory=Retry)
    _long_wait: ConversationsError | None = None
    _postponed: set[str | None] = field(factory=set[str | None])
    _received: deque[DeleteOutcome] = field(factory=deque[DeleteOutcome])

    def delete(self, client: Client) -> None:
        """Delete the conversations. After Ctrl-C, only wait for the requests in flight."""
        delete_many = client.conversations.delete_many
        with (
            waiting_for_requests(self._in_flight),
            before_forced_end(self._end_at_once),
        ):
            self._retry = client.retry
            try:
                with delete_many(
                    self._read_ids(), max_in_flight=self.max_in_flight, rate=self.rate
                ) as outcomes:
                    self._record_all(outcomes)
                self._print_all()
            except KeyboardInterrupt:
                self._report_stop()
                raise
        self.on_end()
        self.deletion.report_failures()
        self._report_untried()

    def _read_ids(self) -> Iterator[str]:
        for conversation_id in self.ids:
            self._read += 1
            yield conversation_id

    def _record_all(self, outcomes: Outcomes[Deleted]) -> None:
        try:
            while self._record_next(outcomes):
                pass
        except KeyboardInterrupt:
            outcomes.stop()
            while self._record_next(outcomes):
                pass
            raise

    def _record_next(self, outcomes: Outcomes[Deleted]) -> bool:
        """Record the next outcome; returns False if there are no more."""
        if not self._received:
            # A single call, so that an interrupt can't lose an outcome that was received.
            self._received.extend(islice(outcomes, 1))
        if not self._received:
            return False
        outcome = self._received[0]
        error = outcome.error if isinstance(outcome, Failed) else None
        self._record(outcome.conversation_id, error)
        self._received.popleft()
        self._recorded += 1
        self._print_each()
        self.on_outcome(outcome)
        concerns_id = error is None or _concerns_id(error)
        self._consecutive_failures = 0 if concerns_id else self._consecutive_failures + 1
        if self._long_wait or self._consecutive_failures >= _MAX_CONSECUTIVE_FAILURES:
            outcomes.stop()
        return True

    def _record(self, conversation_id: str | None, error: ConversationsError | None) -> None:
        if error is not None and asks_for_long_wait(error, self._retry):
            self._long_wait = self._long_wait or error
            if not error.may_have_acted:
                self._postponed.add(conversation_id)
                return
        if self.deletion.deleted[-1:] != [conversation_id]:  # before the interrupt
            self.deletion.record(conversation_id, error)

    def _print_each(self) -> None:
        """Print the IDs that were deleted since the last call, unless they are printed as JSON."""
        for conversation_id in self.deletion.deleted[self._printed :]:
            if self.output.format is Format.JSONL:
                self.output.json(conversation_id)
            elif self.output.is_for_people and self.describe is not None:
                self.output.out.print(self.describe(conversation_id), soft_wrap=True)
            self._printed += 1

    def _report_untried(self) -> None:
        untried = len(self.ids) - self._recorded + len(self._postponed)
        if self._long_wait is not None:
            self.deletion.codes.add(exit_code(self._long_wait))
            if untried:  # otherwise, it was already printed as a conversation's error
                reason = describe_error(self._long_wait)
                print_error(f"{reason} {untried:,} of {len(self.ids):,} were not deleted.")
        elif untried:
            print_error(
                f"The command stopped after {_MAX_CONSECUTIVE_FAILURES} failures in a row, and "
                f"didn't try to delete the other {untried:,}. Run it again to continue."
            )

    def _print_all(self) -> None:
        """Print what was deleted and is not printed yet."""
        self._print_each()
        if self.output.format is Format.JSON and not self._is_printed:
            self._is_printed = True
            self.output.json(self.deletion.deleted)

    def _in_flight(self) -> int:
        return self._read - self._recorded

    def _report_stop(self, unknown: str = "") -> None:
        self._print_all()
        self.on_end()
        count = len(self.deletion.deleted)
        were = "was" if count == 1 else "were"
        print_message(f"Stopped. {count:,} of {len(self.ids):,} {were} deleted.{unknown}")

    def _end_at_once(self) -> None:
        count = self._in_flight()
        self._report_stop(f" {count:,} more may have been deleted." if count else "")


def _concerns_id(error: ConversationsError) -> bool:
    """Whether an error may concern only the ID that was sent."""
    if isinstance(error, StatusError):
        return error.status in _ID_STATUSES
    return isinstance(error, InvalidArgumentError)
