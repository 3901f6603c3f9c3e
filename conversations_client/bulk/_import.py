"""Imports a file: each row is sent at most once, or exactly once where keys are honoured."""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import Final, TypeAlias

from attrs import evolve

from conversations_client import (
    Client,
    Created,
    CreateOutcome,
    CreateRequest,
    InvalidArgumentError,
    Outcomes,
)
from conversations_client.bulk._columns import Columns
from conversations_client.bulk._destination import Destination
from conversations_client.bulk._errors import BulkError, ImportStoppedError
from conversations_client.bulk._journal import Entry, Journal, State
from conversations_client.bulk._readers import check_columns, check_range, read_rows
from conversations_client.bulk._report import Report
from conversations_client.bulk._rows import Row

Read: TypeAlias = Callable[[], Iterator[Row]]
"""Reads the rows of an import, from the first one each time."""

_MOST_NAMED: Final = 20  # rows in an error message


def import_file(
    client: Client,
    path: str | os.PathLike[str],
    journal: Journal,
    *,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    ignore: Collection[str] = (),
    start: int = 0,
    stop: int | None = None,
    max_in_flight: int = 16,
    rate: float | None = None,
    destination: str | None = None,
    change_destination: bool = False,
    on_row: Callable[[Entry], object] | None = None,
) -> Report:
    """Create the conversations of a file, except those that the journal has as created.

    Each row is a `POST /v2/conversations`. The whole file is read and checked before the first row
    is sent. A row that can't be sent or is refused by the service fails, and the others continue;
    you can correct it and run the import again. A row whose response was lost is doubtful. It is
    sent again only by a client whose `Retry.trust_idempotency_key` says that a repeat can't create
    another conversation. The first Ctrl-C stops reading and waits for the rows in flight; a second
    one ends the import at once.

    Args:
        client: The client that creates them.
        path: JSON Lines, CSV or Parquet, by the end of its name.
        journal: The record of this import.
        columns: The column of each field whose column has another name, such as
            `{"displayName": "title", "metadata.entityId": "agent"}`.
        key: A column of your own to copy into the results.
        ignore: Columns that are not read.
        start: How many rows to skip. Default 0.
        stop: The number of the last row. Default None, the end of the file.
        max_in_flight: How many rows are sent at once. Default 16.
        rate: The most rows per second. Default None, no limit.
        destination: A name for the service if its URL and key change between runs. Default: the
            client's `base_url` and a digest of its key.
        change_destination: Continue although the journal has rows that were created at another
            URL, in another project or with another key. They are not created again.
        on_row: Called with the status of each row, including rows of earlier runs.

    Raises:
        BulkError: The file can't be read as what its name says, has an unknown column, or differs
            in a row that was created; or the journal belongs to another destination or can't be
            written. Nothing was sent.
        InvalidArgumentError: An option is invalid. Nothing was sent.
        OSError: The file can't be read. Nothing was sent.
        ImportStoppedError: The file or the journal failed after rows were sent.
        ClientClosedError: The client is closed.

    Example:
        >>> with Client() as client, Journal("a.jsonl.journal") as journal:  # doctest: +SKIP
        ...     import_file(client, "a.jsonl", journal, columns={"displayName": "title"})
        Report(created=2, failed=0, doubtful=0, new=2)
    """
    check_range(start, stop)
    chosen = Columns.of(columns, key, ignore)
    check_columns(path, chosen)
    return import_rows(
        client,
        partial(read_rows, path, chosen, start=start, stop=stop),
        journal,
        max_in_flight=max_in_flight,
        rate=rate,
        destination=destination,
        change_destination=change_destination,
        on_row=on_row,
    )


def import_rows(
    client: Client,
    read: Read,
    journal: Journal,
    *,
    max_in_flight: int,
    rate: float | None,
    destination: str | None = None,
    change_destination: bool = False,
    on_row: Callable[[Entry], object] | None = None,
) -> Report:
    """Create the conversations of rows, as `import_file` does."""
    trust = client.retry.trust_idempotency_key
    rows = _Rows(read, journal, keys_are_trusted=trust, on_row=on_row or _ignore)
    outcomes = client.conversations.create_many(rows, max_in_flight=max_in_flight, rate=rate)
    journal.check_space(_check_rows(read(), journal))
    target = Destination.of(client, salt=journal.import_id, name=destination)
    journal.bind(target, change=change_destination)
    if not trust:
        journal.doubt()
    rows.begin()
    with outcomes:
        try:
            _take_all(outcomes, rows)
        except KeyboardInterrupt:
            if not rows.is_interrupted:  # it came between two steps
                rows.interrupt()
                _take_all(outcomes, rows)
            raise
    return rows.report()


def _check_rows(rows: Iterator[Row], journal: Journal) -> int:
    """Read every row once before the first is sent; gives how many the journal doesn't have.

    Raises:
        BulkError: The file can't be read, or a row has changed that may be created.
    """
    new = 0
    entries = chain(journal.entries(), [None])
    entry = next(entries)
    for row in rows:
        while entry is not None and entry.number < row.number:
            entry = next(entries)
        if entry is not None and entry.number == row.number:
            _check_unchanged(row, entry)
        else:
            new += 1
    return new


def _check_unchanged(row: Row, entry: Entry) -> None:
    if entry.state is not State.FAILED and entry.digest != row.digest():
        outcome = "it was created" if entry.state is State.CREATED else "it was sent"
        raise BulkError(
            f"Row {row.number} has changed since {outcome}. Restore it and add new rows at the "
            "end, or import the new file with a new journal, which creates all of its rows."
        )


def _take_all(outcomes: Outcomes, rows: "_Rows") -> None:
    """Take every outcome. After an error, nothing is sent, and the rows in flight are recorded."""
    error: BaseException | None = None
    while True:
        in_flight = rows.in_flight
        try:
            while rows.take_next(outcomes):
                pass
        except KeyboardInterrupt as interrupt:
            if rows.is_interrupted:
                raise
            rows.interrupt()
            error = error or interrupt
        except Exception as raised:  # noqa: BLE001 - raised again below
            if error is not None and rows.in_flight == in_flight:
                break  # nothing more comes
            error = error or raised
        else:
            break
        rows.stop()
    if error is not None:
        raise rows.explained(error)


class _Rows(Iterator[CreateRequest]):
    """The requests of the rows to send, each recorded before it is sent.

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
        except BulkError:
            self._prepared.clear()
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
            f"{_unrecorded_rows(unrecorded)} Run it again to continue.",
            report=self.report(),
            unrecorded=unrecorded,
        )
        stopped.__cause__ = error
        return stopped

    def _prepare(self, row: Row) -> None:
        known = self._journal.find(row.number)
        if known is not None:
            _check_unchanged(row, known)
            if not known.is_to_be_sent(keys_are_trusted=self._keys_are_trusted):
                self._repeat(known, row)
                return
        before = None if known is None else known.state
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

    def _count(self, before: State | None, after: State) -> None:
        if before is not None:
            self._counts[before] -= 1
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
            self._on_row = _ignore
            self._error_of_caller = error
            raise

    def _is_recorded(self, entry: Entry) -> bool:
        """Try again, because there may be space by now."""
        try:
            self._journal.record(entry)
        except BulkError:
            return False
        return True


def _ignore(_: Entry) -> None:
    pass


def _unrecorded_rows(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    named = [f"row {entry.number} ({entry.state}: {entry.detail})" for entry in entries]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f" The journal doesn't have the outcome of {', '.join(named[:_MOST_NAMED])}{more}."
