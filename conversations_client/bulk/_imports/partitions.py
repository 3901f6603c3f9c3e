"""Divides an import into parts, which any number of processes and machines can run."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Final

from attrs import field, frozen

from conversations_client import Client
from conversations_client.bulk._arguments import check_client, check_item, check_iterable
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.columns import Columns
from conversations_client.bulk._files.opening import ChangeCheck, changed_since_planned
from conversations_client.bulk._files.readers import check_columns, index_rows, read_rows
from conversations_client.bulk._imports import plan_folder
from conversations_client.bulk._imports.entry import Entry, State
from conversations_client.bulk._imports.import_file import import_rows
from conversations_client.bulk._imports.journal import Journal
from conversations_client.bulk._imports.report import Report

_REQUIREMENT: Final = "parts must be the parts of an import, such as partitions(file, folder)"


def _to_tuple(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


@frozen
class Partition:
    """A part of an import. It can be pickled, and `attrs.asdict` converts it to JSON values.

    Attributes:
        path: The path of the file, the same on every machine.
        journal: The path of this part's journal, on a disk that all machines share. Its folder
            stores the destination of all parts.
        start: The number of rows before this part.
        stop: The number of this part's last row.
        offset: The byte offset of this part's first row; None for Parquet, which has an index.
        columns: As in `import_file`.
        key: As in `import_file`.
        ignore: As in `import_file`.

    Example:
        part, *_ = partitions("conversations.jsonl", "journals", rows=1)
        assert (part.start, part.stop) == (0, 1)
    """

    path: str
    journal: str
    start: int
    stop: int
    offset: int | None = None
    columns: Mapping[str, str] | None = None
    key: str | None = None
    ignore: tuple[str, ...] = field(default=(), converter=_to_tuple)

    def run(
        self,
        client: Client | Callable[[], Client] = Client,
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        change_destination: bool = False,
    ) -> Report:
        """Create a conversation for each row of this part that doesn't have one yet.

        Args:
            client: A client, which stays open, or a function that creates a client, which is closed
                at the end. Default: `Client`, which reads the key from the environment of the
                process.
            max_in_flight: As in `import_file`.
            rate: As in `import_file`, for this part only.
            change_destination: As in `import_file`.

        Raises:
            BulkError: As in `import_file`, or another process is running this part, or the file has
                changed since it was divided into parts.
            OSError: The file can't be read or the folder can't be written to.
            ImportStoppedError: The file or the journal failed after rows were sent.

        Example:
            for part in partitions("conversations.jsonl", "journals", rows=1):
                assert part.run(client).created == 1
        """
        columns = Columns.of(self.columns, self.key, self.ignore)
        read = partial(
            read_rows,
            self.path,
            columns,
            start=self.start,
            stop=self.stop,
            offset=self.offset,
            change_check=ChangeCheck(),
        )
        with _opened(client) as sender:
            plan_folder.bind(Path(self.journal).parent, sender, change=change_destination)
            with Journal(self.journal) as journal:
                return import_rows(
                    sender,
                    read,
                    journal,
                    max_in_flight=max_in_flight,
                    rate=rate,
                    change_destination=change_destination,
                    check_last=self._check_last,
                )

    def _check_last(self, row: int) -> None:
        if row != self.stop:
            raise changed_since_planned(Path(self.path).name)

    def entries(self) -> list[Entry]:
        """The status of each row of this part that a run has reached.

        Example:
            part, *_ = partitions("conversations.jsonl", "journals")
            part.run(client)
            assert [entry.number for entry in part.entries()] == [1, 2]
        """
        with Journal(self.journal) as journal:
            return list(journal.entries())


def _opened(client: Client | Callable[[], Client]) -> AbstractContextManager[Client]:
    """A context manager for the client, which closes it only if the function created it."""
    if isinstance(client, Client) or not callable(client):
        check_client(client)
        return nullcontext(client)
    created = client()
    check_client(created)
    return created


def partitions(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    rows: int = 10_000,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    ignore: Collection[str] = (),
) -> list[Partition]:
    """Divide an import into parts, which are the same in every run.

    Args:
        path: The file.
        folder: The folder for the plan, the destination and the journals, created if it doesn't
            exist.
        rows: The number of rows per part, which later runs can't change. Default: 10,000.
        columns: As in `import_file`.
        key: As in `import_file`.
        ignore: As in `import_file`.

    Raises:
        BulkError: The file's content doesn't match its extension, a column is unknown, or the file
            has more or fewer rows than in the first run; or `rows` is less than 1.
        InvalidArgumentError: `columns` or `ignore` is invalid.
        OSError: The file can't be read or the folder can't be written to.

    Example:
        parts = partitions("conversations.jsonl", "journals")
        report = total(part.run(client) for part in parts)
    """
    if rows < 1:
        raise BulkError("rows must be 1 or more.")
    checked_columns = Columns.of(columns, key, ignore)
    check_columns(path, checked_columns)
    index = index_rows(path, checked_columns, every=rows)
    journals = Path(folder).absolute()
    journals.mkdir(parents=True, exist_ok=True)
    plan = plan_folder.load_or_create_plan(journals, {"total": index.total, "rows": rows})
    if plan["total"] != index.total:
        raise BulkError(
            f"{Path(path).name} has {index.total:,} rows, but had {plan['total']:,} when this "
            "import started. Restore it, or import the new file with another folder; every row is "
            "then imported again."
        )
    if plan["rows"] != rows:
        index = index_rows(path, checked_columns, every=plan["rows"])
    bounds = pairwise([*range(0, index.total, plan["rows"]), index.total])
    file = os.fspath(Path(path).absolute())
    return [
        Partition(
            file,
            str(journals / f"{start}.journal"),
            start,
            stop,
            offset,
            columns,
            key,
            tuple(ignore),
        )
        for (start, stop), offset in zip_longest(bounds, index.offsets)
    ]


def entries_of(parts: Iterable[Partition]) -> Iterator[Entry]:
    """The status of the rows in several parts, with one part in memory at a time.

    Raises:
        InvalidArgumentError: `parts` is not an iterable of parts.

    Example:
        parts = partitions("conversations.jsonl", "journals", rows=1)
        for part in parts:
            part.run(client)
        write_results(entries_of(parts), "results.jsonl")
    """
    check_iterable(parts, _REQUIREMENT)
    return _entries_of(parts)


def _entries_of(parts: Iterable[Partition]) -> Iterator[Entry]:
    for part in parts:
        check_item(part, Partition, _REQUIREMENT)
        yield from part.entries()


def count_created(parts: Iterable[Partition]) -> int:
    """The number of conversations that all runs so far have created."""
    count = 0
    for part in parts:
        if Path(part.journal).exists():
            with Journal(part.journal) as journal:
                count += journal.counts()[State.CREATED]
    return count
