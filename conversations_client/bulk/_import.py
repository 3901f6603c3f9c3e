"""An import: each row sent at most once, or as often as it takes where keys are honoured."""

import os
from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from conversations_client import (
    Client,
    Created,
    CreateOutcome,
    CreateRequest,
    InvalidArgumentError,
    Outcomes,
)
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._journal import Entry, Journal, State
from conversations_client.bulk._readers import read_rows
from conversations_client.bulk._rows import Row


@frozen
class Report:
    """How many rows came to what, over all runs of an import."""

    created: int
    failed: int
    doubtful: int


def import_file(
    client: Client,
    path: str | os.PathLike[str],
    journal: Journal,
    *,
    start: int = 0,
    stop: int | None = None,
    max_in_flight: int = 16,
    rate: float | None = None,
    on_row: Callable[[Entry], object] | None = None,
) -> Report:
    """Create the conversations of a file, but for those that the journal knows of.

    A row that was sent and not answered, by an error or a crash, is doubtful. It is sent again only
    by a client whose `Retry.trust_idempotency_key` says that a repeat can't create another one. A
    row that failed is sent again in the next run. The first Ctrl-C reads no more rows, and comes
    out when those in flight have ended; another one ends it at once.

    Args:
        client: Where to create them.
        path: JSON Lines, CSV or Parquet, by the end of its name.
        journal: What is known of the rows, and is to be.
        start: How many rows to leave out.
        stop: Behind how many rows to stop; None for at the end.
        max_in_flight: How many are sent at once. Default 16.
        rate: How many are sent in a second at most; None, the default, for no limit.
        on_row: Is called with what has become of each row, those known before included.

    Raises:
        BulkError: The file is of no known kind, or is not what it was when the journal was begun.
        InvalidArgumentError: `max_in_flight` or `rate` can't be right.
        ClientClosedError: The client is closed.
        OSError: The file can't be read.
    """
    return import_rows(
        client,
        read_rows(path, start=start, stop=stop),
        journal,
        max_in_flight=max_in_flight,
        rate=rate,
        on_row=on_row,
    )


def import_rows(
    client: Client,
    wanted: Iterable[Row],
    journal: Journal,
    *,
    max_in_flight: int,
    rate: float | None,
    on_row: Callable[[Entry], object] | None = None,
) -> Report:
    """Create the conversations of rows, as `import_file` does."""
    if not client.retry.trust_idempotency_key:
        journal.doubt()
    rows = _Rows(
        wanted,
        journal,
        keys_are_trusted=client.retry.trust_idempotency_key,
        tell=on_row or (lambda _: None),
    )
    with client.conversations.create_many(rows, max_in_flight=max_in_flight, rate=rate) as outcomes:
        _take_all(outcomes, rows)
    counts = journal.counts()
    return Report(
        created=counts[State.CREATED],
        failed=counts[State.FAILED],
        doubtful=counts[State.DOUBTFUL],
    )


def _take_all(outcomes: Outcomes, rows: "_Rows") -> None:
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            for outcome in outcomes:
                rows.take(outcome)
        except KeyboardInterrupt as error:
            if interrupt is not None:
                raise
            interrupt = error
            rows.stop()
        else:
            break
    if interrupt is not None:
        raise interrupt


class _Rows(Iterator[CreateRequest]):
    """The requests of the rows that are to be sent, each written down before it is given."""

    def __init__(
        self,
        rows: Iterable[Row],
        journal: Journal,
        *,
        keys_are_trusted: bool,
        tell: Callable[[Entry], object],
    ) -> None:
        self._rows = iter(rows)
        self._journal = journal
        self._keys_are_trusted = keys_are_trusted
        self._tell = tell
        self._given = 0
        self._in_flight: dict[int, Entry] = {}
        self._is_stopped = False

    def __next__(self) -> CreateRequest:
        while not self._is_stopped:
            row = next(self._rows)
            request = self._request(row)
            if request is not None:
                return request
        raise StopIteration

    def stop(self) -> None:
        """Give no more."""
        self._is_stopped = True

    def take(self, outcome: CreateOutcome) -> None:
        """Write down what has become of a row."""
        sent = self._in_flight.pop(outcome.index)
        if isinstance(outcome, Created):
            self._end(sent, State.CREATED, outcome.conversation.id or "")
        else:
            state = State.DOUBTFUL if outcome.may_have_acted else State.FAILED
            self._end(sent, state, str(outcome.error))

    def _request(self, row: Row) -> CreateRequest | None:
        digest = row.digest()
        known = self._journal.find(row.number)
        if known is not None:
            if known.digest != digest:
                raise BulkError(
                    f"Row {row.number} is not what it was when the journal was begun: "
                    "import the file as it was, or the changed one under another name."
                )
            if not known.is_to_be_sent(keys_are_trusted=self._keys_are_trusted):
                self._tell(known)
                return None
        entry = Entry(row.number, digest, State.SENT, "")
        try:
            request = row.request(self._journal.import_id)
        except InvalidArgumentError as error:
            self._end(entry, State.FAILED, str(error))
            return None
        self._journal.record(entry)
        self._in_flight[self._given] = entry
        self._given += 1
        return request

    def _end(self, sent: Entry, state: State, detail: str) -> None:
        entry = Entry(sent.number, sent.digest, state, detail)
        self._journal.record(entry)
        self._tell(entry)
