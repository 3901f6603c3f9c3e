"""A single run of an import: which rows it sends and which outcomes it records."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from attrs import evolve

from conversations_client import (
    ConversationsError,
    Created,
    CreateOutcome,
    CreateRequest,
    InvalidArgumentError,
    Outcomes,
    Retry,
    StatusError,
)
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.rows import EMPTY_AT_THE_END, Row
from conversations_client.bulk._imports.entry import Entry, State
from conversations_client.bulk._imports.journal import Journal
from conversations_client.bulk._imports.report import Report
from conversations_client.bulk._imports.row_changes import check_unchanged
from conversations_client.bulk._imports.stopped import ImportStoppedError
from conversations_client.bulk._long_waits import asks_for_long_wait

Read: TypeAlias = Callable[[], Iterator[Row]]
"""Reads the rows of an import; each call starts at the first row."""

_MAX_NAMED: Final = 20  # rows in an error message
_MAX_CONSECUTIVE_FAILURES: Final = 50
_ROW_STATUSES: Final = frozenset({400, 409, 413, 415, 422})


class ImportRun(Iterator[CreateRequest]):
    """An iterator of requests that records each row before it is sent, and its outcome afterwards.

    An interrupt may stop a method at any line. The next call to the same method completes the step.
    """

    def __init__(
        self,
        read: Read,
        journal: Journal,
        *,
        retry: Retry,
        on_row: Callable[[Entry], object],
    ) -> None:
        self._rows = read()
        self._journal = journal
        self._retry = retry
        self._on_row = on_row
        self._sent = 0
        self._new = 0
        self._consecutive_failures = 0
        self._resent: dict[int, Entry] = {}  # the entries from earlier runs
        self._in_flight: dict[int, Entry] = {}
        self._unrecorded: list[Entry] = []
        self._counts = dict.fromkeys(State, 0)
        self._last_filled: int | None = None
        self._prepared: deque[tuple[int, Entry, CreateRequest]] = deque()
        self._received: deque[CreateOutcome] = deque()
        self._before: Entry | None = None  # the earlier entry of the prepared row
        self._row: Row | None = None  # the last prepared row; all rows have the same columns
        self._is_stopped = False
        self._callback_error: Exception | None = None

    @property
    def in_flight(self) -> int:
        """The number of rows that were sent and have no outcome yet."""
        return len(self._in_flight)

    def begin(self, *, last_filled: int | None = None) -> None:
        """Load the counts from earlier runs.

        Args:
            last_filled: The number of the last row that is not empty, if the rows after it can be
                removed from the file.
        """
        self._counts = self._journal.counts()
        self._last_filled = last_filled

    def stop(self) -> None:
        """Send no more rows."""
        self._is_stopped = True

    def __next__(self) -> CreateRequest:
        while not self._prepared:
            if self._is_stopped:
                raise StopIteration
            self._prepare(next(self._rows))
        index, entry, _ = self._prepared[0]
        try:
            self._journal.record(entry)
        except BulkError:  # the row is not sent
            self._prepared.clear()
            self._count(State.SENT, _state(self._before))
            raise
        if self._before is not None:
            self._resent[index] = self._before
        self._in_flight[index] = entry
        self._sent = index + 1
        return self._prepared.popleft()[-1]

    def record_next(self, outcomes: Outcomes) -> bool:
        """Record the next outcome; returns False if there are no more."""
        if self._is_stopped and not self._prepared:
            outcomes.stop()  # instead of waiting until the next row can be sent
        if not self._received:
            # A single call, so that an interrupt can't lose an outcome that was received.
            self._received.extend(islice(outcomes, 1))
        if not self._received:
            return False
        self._record_outcome(self._received[0])
        self._received.popleft()
        return True

    def _record_outcome(self, outcome: CreateOutcome) -> None:
        sent = self._in_flight.get(outcome.index)
        if sent is None:
            return  # an interrupt or an error came after it was recorded
        if not self._put_back(outcome, sent):
            self._record_result(outcome, sent)
        self._check_failures(outcome)

    def _put_back(self, outcome: CreateOutcome, sent: Entry) -> bool:
        """Restore a row's earlier entry if the service wants the row later.

        Returns False if that isn't the case, or if the journal fails.
        """
        if isinstance(outcome, Created) or outcome.may_have_acted:
            return False
        if not asks_for_long_wait(outcome.error, self._retry):
            return False
        before = self._resent.get(outcome.index)
        try:
            if before is None:
                self._journal.remove(sent.number)
            else:
                self._journal.record(before)
        except BulkError:
            return False
        self._settle(outcome.index, _state(before))
        return True

    def _record_result(self, outcome: CreateOutcome, sent: Entry) -> None:
        if isinstance(outcome, Created):
            entry = evolve(sent, state=State.CREATED, detail=outcome.conversation.id or "")
        else:
            state = State.DOUBTFUL if outcome.may_have_acted else State.FAILED
            entry = evolve(
                sent, state=state, detail=self._describe(outcome.error), exception=outcome.error
            )
        try:
            self._record(entry)
        except BulkError:
            self._settle(outcome.index, entry.state)
            raise
        try:
            self._notify(entry)
        finally:
            self._settle(outcome.index, entry.state)

    def _check_failures(self, outcome: CreateOutcome) -> None:
        """Stop if every new row fails for a reason that has nothing to do with the rows."""
        _check_wait(outcome, self._retry)
        is_new = outcome.index not in self._resent
        self._resent.pop(outcome.index, None)
        error = None if isinstance(outcome, Created) else outcome.error
        if error is None or concerns_row(error):
            self._consecutive_failures = 0
        elif is_new:  # so that each run gets further than the one before
            self._consecutive_failures += 1
        if is_new and self._consecutive_failures == _MAX_CONSECUTIVE_FAILURES:
            raise BulkError(
                f"{_MAX_CONSECUTIVE_FAILURES} consecutive rows failed. The last error: {error}"
            ) from error

    def _describe(self, error: ConversationsError) -> str:
        if self._row is None or not isinstance(error, InvalidArgumentError):
            return str(error)
        return self._row.describe(error)

    def _settle(self, index: int, state: State | None) -> None:
        del self._in_flight[index]
        self._count(State.SENT, state)
        self._new += state is State.CREATED

    def report(self) -> Report:
        """The counts so far; rows without an outcome, also of earlier runs, count as doubtful."""
        return Report(
            created=self._counts[State.CREATED],
            failed=self._counts[State.FAILED],
            doubtful=self._counts[State.DOUBTFUL] + self._counts[State.SENT],
            new=self._new,
        )

    def with_counts(self, error: BaseException) -> BaseException:
        """An error that stopped the import, with the counts if rows were sent."""
        is_callback_error = error is self._callback_error
        if is_callback_error or not isinstance(error, BulkError | OSError) or not self._sent:
            return error
        unrecorded = tuple(entry for entry in self._unrecorded if not self._try_to_record(entry))
        stopped = ImportStoppedError(
            f"{error} The import stopped after it created {self._new:,} "
            f"conversation{'s' * (self._new != 1)}.{describe_unrecorded(unrecorded)} Run the "
            "import again to continue.",
            report=self.report(),
            unrecorded=unrecorded,
        )
        stopped.__cause__ = error
        return stopped

    def _prepare(self, row: Row) -> None:
        recorded = self._journal.find(row.number)
        if recorded is not None:
            check_unchanged(row, recorded)
            if not recorded.is_to_be_sent(keys_are_trusted=self._retry.trust_idempotency_key):
                self._skip(recorded, row)
                return
        self._before = recorded
        try:
            request = row.request(self._journal.import_id)
        except InvalidArgumentError as error:
            self._count(_state(recorded), State.FAILED)
            can_be_removed = self._last_filled is not None and row.number > self._last_filled
            problem = EMPTY_AT_THE_END if can_be_removed else row.describe(error)
            failed = Entry(
                row.number, "", State.FAILED, problem, row.key, line=row.line, exception=error
            )
            self._record(failed)
            self._notify(failed)
            return
        self._row = row
        entry = Entry(row.number, row.digest(), State.SENT, "", row.key, line=row.line)
        self._count(_state(recorded), State.SENT)
        self._prepared.append((self._sent, entry, request))

    def _skip(self, recorded: Entry, row: Row) -> None:
        """Report a row from an earlier run, with its current key and line in the file."""
        entry = evolve(recorded, key=row.key, line=row.line, is_skipped=True)
        if entry != recorded:
            self._journal.record(entry)
        self._notify(entry)

    def _count(self, before: State | None, after: State | None) -> None:
        if before is not None:
            self._counts[before] -= 1
        if after is not None:
            self._counts[after] += 1

    def _record(self, entry: Entry) -> None:
        try:
            self._journal.record(entry)
        except BulkError:
            self._unrecorded.append(entry)
            raise

    def _notify(self, entry: Entry) -> None:
        try:
            self._on_row(entry)
        except Exception as error:
            self._on_row = do_nothing
            self._callback_error = error
            raise

    def _try_to_record(self, entry: Entry) -> bool:
        # The disk may have free space again.
        try:
            self._journal.record(entry)
        except BulkError:
            return False
        return True


def concerns_row(error: ConversationsError) -> bool:
    """Whether an error may concern only the row that was sent."""
    if isinstance(error, StatusError):
        return error.status in _ROW_STATUSES
    return isinstance(error, InvalidArgumentError)


def _check_wait(outcome: CreateOutcome, retry: Retry) -> None:
    """Raise BulkError if the service asks for a longer wait than the client allows."""
    error = None if isinstance(outcome, Created) else outcome.error
    if isinstance(error, StatusError) and asks_for_long_wait(error, retry):
        raise BulkError(
            f"The Retry-After of {math.ceil(error.retry_after or 0)} s is longer than "
            f"retry_after_max={retry.retry_after_max:.15g}: wait that long, or increase it."
        ) from error


def _state(entry: Entry | None) -> State | None:
    return None if entry is None else entry.state


def do_nothing(_: Entry) -> None:
    """Ignore a row."""


def describe_unrecorded(entries: Sequence[Entry]) -> str:
    """A sentence about outcomes that could not be recorded; empty if there are none."""
    if not entries:
        return ""
    named = [f"row {entry.number} ({entry.state}: {entry.detail})" for entry in entries]
    more = f" and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
    return f" The journal lacks the outcome of {', '.join(named[:_MAX_NAMED])}{more}."
