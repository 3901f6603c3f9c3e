"""Imports a file: each row is sent at most once, or exactly once where keys are honoured."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import chain

from conversations_client import Client, Outcomes
from conversations_client.bulk._files.columns import Columns
from conversations_client.bulk._files.readers import check_columns, check_range, read_rows
from conversations_client.bulk._files.rows import Row
from conversations_client.bulk._imports.destination import Destination
from conversations_client.bulk._imports.journal import Entry, Journal
from conversations_client.bulk._imports.report import Report
from conversations_client.bulk._imports.run import ImportRun, Read, check_unchanged, ignore


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
    rows = ImportRun(read, journal, keys_are_trusted=trust, on_row=on_row or ignore)
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
            check_unchanged(row, entry)
        else:
            new += 1
    return new


def _take_all(outcomes: Outcomes, rows: ImportRun) -> None:
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
