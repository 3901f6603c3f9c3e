"""Imports a file: at most once per row, exactly once if the service honors idempotency keys."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import chain

from conversations_client import Client, InvalidArgumentError, Outcomes
from conversations_client.bulk._arguments import check_client
from conversations_client.bulk._files.columns import Columns
from conversations_client.bulk._files.opening import ChangeCheck
from conversations_client.bulk._files.readers import check_columns, check_range, read_rows
from conversations_client.bulk._files.rows import Row
from conversations_client.bulk._imports.destination import Destination
from conversations_client.bulk._imports.entry import Entry
from conversations_client.bulk._imports.journal import Journal
from conversations_client.bulk._imports.report import Report
from conversations_client.bulk._imports.row_changes import check_none_removed, check_unchanged
from conversations_client.bulk._imports.run import ImportRun, Read, do_nothing


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
    """For each row of a file, create a conversation unless the row already has one.

    Each row is sent as a `POST /v2/conversations` request. The whole file is read and checked
    before the first row is sent. If a row is invalid or the service rejects it, the row fails, and
    the import continues with the other rows. Correct the failed rows in place and run the import
    again: it sends only those rows. Rows are identified by their position. A row whose response was
    lost is doubtful. It is sent again only if the client has `Retry(trust_idempotency_key=True)`,
    which declares that a repeated request can't create a second conversation. If you press Ctrl-C,
    the import stops reading, waits for the rows in flight (no longer than the client's timeout for
    each), and records their outcomes. Pressing it again doesn't shorten the wait, because Python
    can't kill a waiting thread.

    Args:
        client: The client that creates the conversations.
        path: The file: JSON Lines, CSV or Parquet, according to its extension.
        journal: The journal of this import.
        columns: A mapping from field names to column names, for columns that are named differently,
            such as `{"displayName": "title", "metadata.entityId": "agent"}`.
        key: A column to copy into the results. Its values can repeat: every row is imported.
        ignore: Columns to ignore; `metadata` stands for all metadata columns.
        start: The number of rows to skip. Default: 0.
        stop: The number of the last row to import. Default: the end of the file.
        max_in_flight: The maximum number of rows in flight. Default: 16.
        rate: The maximum number of rows per second. Default: no limit.
        destination: A name for the service if its URL and key change between runs. Default: the
            client's `base_url` and a digest of its key.
        change_destination: Whether to continue if the journal has rows that were imported to a
            different URL or project, or with a different key. They are not imported again. Default:
            False.
        on_row: Called with the status of each row, including rows from earlier runs.

    Raises:
        BulkError: The file's content doesn't match its extension, a column is unknown, or a row
            that was already imported has changed; or the journal belongs to a different destination
            or can't be written. Nothing was sent.
        InvalidArgumentError: An option is invalid. Nothing was sent.
        OSError: The file can't be read. Nothing was sent.
        ImportStoppedError: The file or the journal failed after rows were sent, 50 consecutive rows
            failed for a reason unrelated to the rows, such as an invalid key, or the service asks
            to wait longer than `Retry.retry_after_max`.
        ClientClosedError: The client is closed.

    Example:
        >>> with Client() as client, Journal("a.jsonl.journal") as journal:  # doctest: +SKIP
        ...     import_file(client, "a.jsonl", journal, columns={"displayName": "title"})
        Report(created=2, failed=0, doubtful=0, new=2)
    """
    check_client(client)
    _check_journal(journal)
    check_range(start, stop)
    checked_columns = Columns.of(columns, key, ignore)
    check_columns(path, checked_columns)
    return import_rows(
        client,
        partial(
            read_rows, path, checked_columns, start=start, stop=stop, change_check=ChangeCheck()
        ),
        journal,
        max_in_flight=max_in_flight,
        rate=rate,
        destination=destination,
        change_destination=change_destination,
        on_row=on_row,
        is_whole=start == 0 and stop is None,
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
    is_whole: bool = False,
    check_last: Callable[[int], object] | None = None,
) -> Report:
    """Create a conversation for each row, as `import_file` does.

    `is_whole` states that the rows make up the whole file. `check_last` is called with the number
    of the last row, before anything is sent.
    """
    trust = client.retry.trust_idempotency_key
    run = ImportRun(read, journal, retry=client.retry, on_row=on_row or do_nothing)
    outcomes = client.conversations.create_many(run, max_in_flight=max_in_flight, rate=rate)
    new, last, last_filled = _check_rows(read(), journal)
    if check_last is not None:
        check_last(last)
    if is_whole:
        check_none_removed(journal.entries(after=last), last)
    journal.check_space(new)
    target = Destination.of(client, salt=journal.import_id, name=destination)
    journal.bind(target, change=change_destination)
    if is_whole:
        journal.forget(after=last)  # failed rows that were removed
    if not trust:
        journal.doubt()
    run.begin(last_filled=last_filled if is_whole else None)
    with outcomes:
        try:
            _record_all(outcomes, run)
        except KeyboardInterrupt:
            run.stop()
            _record_all(outcomes, run)  # what is left if the interrupt came between two steps
            raise
    return run.report()


def _check_journal(journal: object) -> None:
    if not isinstance(journal, Journal):
        raise InvalidArgumentError(
            "journal must be an open Journal, as in `with Journal(path) as journal`, "
            f"not {type(journal).__name__}."
        )


def _check_rows(rows: Iterator[Row], journal: Journal) -> tuple[int, int, int]:
    """Read every row before the first is sent.

    Returns:
        The number of rows that are not in the journal, the number of the last row, and the number
        of the last row that is not empty.

    Raises:
        BulkError: The file can't be read, or a row that may have been imported has changed.
    """
    new = last = last_filled = 0
    entries = chain(journal.entries(), [None])
    entry = next(entries)
    for row in rows:
        while entry is not None and entry.number < row.number:
            entry = next(entries)
        if entry is not None and entry.number == row.number:
            check_unchanged(row, entry)
        else:
            new += 1
        last = row.number
        last_filled = last_filled if row.is_empty else last
    return new, last, last_filled


def _record_all(outcomes: Outcomes, run: ImportRun) -> None:
    """Record every outcome. After an error, finish only the rows in flight."""
    error: BaseException | None = None
    while True:
        in_flight = run.in_flight
        try:
            while run.record_next(outcomes):
                pass
        except KeyboardInterrupt as interrupt:
            error = error or interrupt
        except Exception as raised:  # noqa: BLE001 - raised below
            if error is not None and run.in_flight == in_flight:
                break  # no outcomes are left
            error = error or raised
        else:
            break
        run.stop()
    if error is not None:
        raise run.with_counts(error)
