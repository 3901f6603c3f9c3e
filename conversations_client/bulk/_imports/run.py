"""One run of an import: which rows it sends, and what it records of them."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

from attrs import evolve

from conversations_client import (
    Created,
    CreateOutcome,
    CreateRequest,
    InvalidArgumentError,
    Outcomes,
)
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.rows import Row
from conversations_client.bulk._imports.journal import Entry, Journal, State
from conversations_client.bulk._imports.report import Report
from conversations_client.bulk._imports.stopped import ImportStoppedError

Read: TypeAlias = Callable[[], Iterator[Row]]
"""Reads the rows of an import, from the first one each time."""

_MOST_NAMED: Final = 20  # rows in an error message


class ImportRun(Iterator[CreateRequest]):
    """The requests of the rows to send, each recorded before it is sent; takes their outcomes.

    An interrupt may end any method at any line; the same method then completes what it began.
    """

    def __init__(
        self,
        read: Read,
        journal: Journal,
        *,
        keys_are_trusted: bool,
        on_row: Callable[[Entry], object],
    ) -> None:
        self._rows = read()
        self._journal = journal
        self._keys_are_trusted = keys_are_trusted
        self._on_row = on_row
        self.is_interrupted = False
        self._sent = 0
        self._new = 0
        self._in_flight: dict[int, Entry] = {}
        self._unrecorded: list[Entry] = []
        self._counts = dict.fromkeys(State, 0)
        self._prepared: deque[tuple[int, Entry, CreateRequest]] = deque()
        self._received: deque[CreateOutcome] = deque()
        self._before: State | None = None  # the state of the prepared row
        self._is_stopped = False
        self._error_of_caller: Exception | None = None

    @property
    def in_flight(self) -> int:
        """How many rows were sent and have no outcome."""
        return len(self._in_flight)

    def begin(self) -> None:
        """Count what earlier runs did."""
        self._counts = self._journal.counts()

    def stop(self) -> None:
        """Send no more rows."""
        self._is_stopped = True

    def interrupt(self) -> None:
        """Send no more rows, because of a first Ctrl-C."""
        self.is_interrupted = True
        self.stop()

    def __next__(self) -> CreateRequest:
        while not self._prepared:
            if self._is_stopped:
                raise StopIteration
            self._prepare(next(self._rows))
        index, entry, _ = self._prepared[0]
        try:
            self._journal.record(entry)
        except BulkError:  # it is not sent
            self._prepared.clear()
            self._count(State.SENT, self._before)
            raise
        self._in_flight[index] = entry
        self._sent = index + 1
        return self._prepared.popleft()[-1]

    def take_next(self, outcomes: Outcomes) -> bool:
        """Record the next outcome; False if there are no more."""
        if not self._received:
            # A single call, so that no interrupt can come between taking an outcome and keeping it.
            self._received.extend(islice(outcomes, 1))
        if not self._received:
            return False
        self._take(self._received[0])
        self._received.popleft()
        return True

    def _take(self, outcome: CreateOutcome) -> None:
        sent = self._in_flight.get(outcome.index)
        if sent is None:
            return  # it was recorded before an interrupt or an error
        if isinstance(outcome, Created):
            entry = evolve(sent, state=State.CREATED, detail=outcome.conversation.id or "")
        else:
            state = State.DOUBTFUL if outcome.may_have_acted else State.FAILED
            entry = evolve(sent, state=state, detail=str(outcome.error))
        try:
            self._record(entry)
        except BulkError:
            self._settle(outcome.index, entry)
            raise
        try:
            self._tell(entry)
        finally:
            self._settle(outcome.index, entry)

    def _settle(self, index: int, entry: Entry) -> None:
        del self._in_flight[index]
        self._count(State.SENT, entry.state)
        self._new += entry.state is State.CREATED

    def report(self) -> Report:
        """The counts so far; rows without an outcome are doubtful."""
        return Report(
            created=self._counts[State.CREATED],
            failed=self._counts[State.FAILED],
            doubtful=self._counts[State.DOUBTFUL] + self.in_flight,
            new=self._new,
        )

    def explained(self, error: BaseException) -> BaseException:
        """The error to raise for one that stopped the import."""
        is_of_caller = error is self._error_of_caller
        if is_of_caller or not isinstance(error, BulkError | OSError) or not self._sent:
            return error
        unrecorded = tuple(entry for entry in self._unrecorded if not self._is_recorded(entry))
        stopped = ImportStoppedError(
            f"{error} The import stopped after it created {self._new:,} rows."
            f"{describe_unrecorded(unrecorded)} Run it again to continue.",
            report=self.report(),
            unrecorded=unrecorded,
        )
        stopped.__cause__ = error
        return stopped

    def _prepare(self, row: Row) -> None:
        known = self._journal.find(row.number)
        if known is not None:
            check_unchanged(row, known)
            if not known.is_to_be_sent(keys_are_trusted=self._keys_are_trusted):
                self._repeat(known, row)
                return
        before = self._before = None if known is None else known.state
        try:
            request = row.request(self._journal.import_id)
        except InvalidArgumentError as error:
            self._count(before, State.FAILED)
            failed = Entry(row.number, "", State.FAILED, str(error), row.key)
            self._record(failed)
            self._tell(failed)
            return
        entry = Entry(row.number, row.digest(), State.SENT, "", row.key)
        self._count(before, State.SENT)
        self._prepared.append((self._sent, entry, request))

    def _repeat(self, known: Entry, row: Row) -> None:
        """Report a row of an earlier run, with the key of this one."""
        entry = evolve(known, key=row.key)
        if entry != known:
            self._journal.record(entry)
        self._tell(entry)

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

    def _tell(self, entry: Entry) -> None:
        try:
            self._on_row(entry)
        except Exception as error:
            self._on_row = ignore
            self._error_of_caller = error
            raise

    def _is_recorded(self, entry: Entry) -> bool:
        """Try again, because there may be space by now."""
        try:
            self._journal.record(entry)
        except BulkError:
            return False
        return True


def ignore(_: Entry) -> None:
    """Do nothing with a row."""


def describe_unrecorded(entries: Sequence[Entry]) -> str:
    """A sentence about outcomes that could not be recorded; empty without any."""
    if not entries:
        return ""
    named = [f"row {entry.number} ({entry.state}: {entry.detail})" for entry in entries]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f" The journal doesn't have the outcome of {', '.join(named[:_MOST_NAMED])}{more}."


def check_unchanged(row: Row, entry: Entry) -> None:
    """Raise BulkError for a row that has changed and may be created."""
    if entry.state is not State.FAILED and entry.digest != row.digest():
        outcome = "it was created" if entry.state is State.CREATED else "it was sent"
        raise BulkError(
            f"Row {row.number} has changed since {outcome}. Restore it and add new rows at the "
            "end, or import the new file with a new journal, which creates all of its rows."
        )
