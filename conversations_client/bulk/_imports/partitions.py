"""An import in parts, which any number of processes and machines can run."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import nullcontext
from functools import partial
from itertools import pairwise, zip_longest
from pathlib import Path

from attrs import field, frozen

from conversations_client import Client
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.columns import Columns
from conversations_client.bulk._files.readers import check_columns, index_rows, read_rows
from conversations_client.bulk._imports import plan_folder
from conversations_client.bulk._imports.import_file import import_rows
from conversations_client.bulk._imports.journal import Entry, Journal, State
from conversations_client.bulk._imports.report import Report


def _names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen
class Partition:
    """A part of an import. It can be pickled, and `attrs.asdict` gives plain JSON.

    Attributes:
        path: The file, by the name that it has on every machine.
        journal: The journal of this part alone, on a disk that every machine sees. Its folder
            records the destination of all parts.
        start: How many rows of the file come before.
        stop: The number of its last row.
        offset: The byte at which it begins; None for Parquet, which has its own index.
        columns: As in `import_file`.
        key: As in `import_file`.
        ignore: As in `import_file`.
    """

    path: str
    journal: str
    start: int
    stop: int
    offset: int | None = None
    columns: Mapping[str, str] | None = None
    key: str | None = None
    ignore: tuple[str, ...] = field(default=(), converter=_names)

    def run(
        self,
        client: Client | Callable[[], Client] = Client,
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
        change_destination: bool = False,
    ) -> Report:
        """Create the conversations of this part, except those that its journal has as created.

        Args:
            client: A client, or a function that makes one, which is closed at the end. Default:
                `Client`, which takes the key from the environment, so that no key travels.
            max_in_flight: As in `import_file`.
            rate: As in `import_file`, for this part alone.
            change_destination: As in `import_file`.

        Raises:
            BulkError: As `import_file`; also if another process runs this part.
            OSError: The file can't be read, or the folder not written to.
            ImportStoppedError: The file or the journal failed after rows were sent.
        """
        columns = Columns.of(self.columns, self.key, self.ignore)
        read = partial(
            read_rows, self.path, columns, start=self.start, stop=self.stop, offset=self.offset
        )
        context = nullcontext(client) if isinstance(client, Client) else client()
        with context as sender:
            plan_folder.bind(Path(self.journal).parent, sender, change=change_destination)
            with Journal(self.journal) as journal:
                return import_rows(
                    sender,
                    read,
                    journal,
                    max_in_flight=max_in_flight,
                    rate=rate,
                    change_destination=change_destination,
                )

    def entries(self) -> list[Entry]:
        """The status of each of its rows that a run has reached."""
        with Journal(self.journal) as journal:
            return list(journal.entries())


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
        folder: Where the journals are, created if it doesn't exist. It keeps the plan of the first
            run and the destination.
        rows: How many rows a part has in the first run. Default 10,000.
        columns: As in `import_file`.
        key: As in `import_file`.
        ignore: As in `import_file`.

    Raises:
        BulkError: The file can't be read as what its name says, has an unknown column, or has
            another number of rows than in the first run; or `rows` is less than 1.
        InvalidArgumentError: `columns` or `ignore` is invalid.
        OSError: The file can't be read, or the folder not written to.
    """
    if rows < 1:
        raise BulkError("rows must be 1 or more.")
    check_columns(path, Columns.of(columns, key, ignore))
    index = index_rows(path, every=rows)
    place = Path(folder).absolute()
    place.mkdir(parents=True, exist_ok=True)
    plan = plan_folder.first_plan(place, {"total": index.total, "rows": rows})
    if plan["total"] != index.total:
        raise BulkError(
            f"{Path(path).name} has {index.total:,} rows, and had {plan['total']:,} when this "
            "import started: restore it, or import the new file with another folder."
        )
    if plan["rows"] != rows:
        index = index_rows(path, every=plan["rows"])
    bounds = pairwise([*range(0, index.total, plan["rows"]), index.total])
    file = os.fspath(Path(path).absolute())
    return [
        Partition(
            file, str(place / f"{start}.journal"), start, stop, offset, columns, key, tuple(ignore)
        )
        for (start, stop), offset in zip_longest(bounds, index.offsets)
    ]


def entries_of(parts: Iterable[Partition]) -> Iterator[Entry]:
    """The status of the rows of several parts, with one part in memory at a time."""
    for part in parts:
        yield from part.entries()


def created_by(parts: Iterable[Partition]) -> int:
    """How many rows the runs so far have created."""
    count = 0
    for part in parts:
        if Path(part.journal).exists():
            with Journal(part.journal) as journal:
                count += journal.counts()[State.CREATED]
    return count
