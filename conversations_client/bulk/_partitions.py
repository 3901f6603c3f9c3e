"""An import in parts, which any number of processes and machines can carry out."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Final

from attrs import frozen

from conversations_client import Client
from conversations_client.bulk._atomic_file import create_once
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._import import Report, import_rows
from conversations_client.bulk._journal import Entry, Journal
from conversations_client.bulk._readers import index_rows, read_rows

_PLAN: Final = "plan.json"


@frozen
class Partition:
    """A part of an import; it can be pickled.

    Attributes:
        path: The file, by a name that every machine knows it by.
        journal: The journal of this part alone, on a disk that every machine sees.
        start: How many rows of the file come before.
        stop: Behind how many rows of the file it ends.
        offset: At which byte of the file it begins; None where the file itself says so, as Parquet
            does. From there on it is read, and nothing before but the head of a CSV.
    """

    path: str
    journal: str
    start: int
    stop: int
    offset: int | None = None

    def run(
        self,
        client: Client | Callable[[], Client] = Client,
        *,
        max_in_flight: int = 16,
        rate: float | None = None,
    ) -> Report:
        """Create the conversations of this part, but for those that its journal knows of.

        Args:
            client: What to create them with, or what makes it, to be closed at the end; one with
                the environment's key if left out, so that no key needs to travel.
            max_in_flight: As in `import_file`.
            rate: As in `import_file`, for this part alone.

        Raises:
            BulkError: The file is not what it was, or another process is at this part.
            OSError: The file can't be read.
        """
        mine = nullcontext(client) if isinstance(client, Client) else client()
        with mine as sender, Journal(self.journal) as journal:
            rows = read_rows(self.path, start=self.start, stop=self.stop, offset=self.offset)
            return import_rows(sender, rows, journal, max_in_flight=max_in_flight, rate=rate)

    def entries(self) -> list[Entry]:
        """What has become of its rows."""
        with Journal(self.journal) as journal:
            return list(journal.entries())


def partitions(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], *, rows: int = 10_000
) -> list[Partition]:
    """The parts of an import, the same in every run.

    Args:
        path: The file.
        folder: Where the journals are, made if it isn't there. It keeps the plan of the first run.
        rows: How many rows a part has in the first run. Default 10,000.

    Raises:
        BulkError: The file has not as many rows as in the first run, or is of no known kind; a part
            can't have so few rows.
        OSError: The file can't be read, or the folder not be written to.
    """
    if rows < 1:
        raise BulkError("A part has 1 row or more.")
    index = index_rows(path, every=rows)
    place = Path(folder).absolute()
    place.mkdir(parents=True, exist_ok=True)
    kept = _first_plan(place / _PLAN, {"total": index.total, "rows": rows})
    if kept["total"] != index.total:
        raise BulkError(
            f"{Path(path).name} has {index.total} rows and had {kept['total']} when the import "
            "was begun: import the file as it was, or the changed one with another folder."
        )
    if kept["rows"] != rows:
        index = index_rows(path, every=kept["rows"])
    bounds = pairwise([*range(0, index.total, kept["rows"]), index.total])
    file = os.fspath(Path(path).absolute())
    return [
        Partition(file, str(place / f"{start}.journal"), start, stop, offset)
        for (start, stop), offset in zip_longest(bounds, index.offsets)
    ]


def total(reports: Iterable[Report]) -> Report:
    """Several reports as one."""
    columns = [(report.created, report.failed, report.doubtful) for report in reports]
    created, failed, doubtful = map(sum, zip((0, 0, 0), *columns, strict=True))
    return Report(created=created, failed=failed, doubtful=doubtful)


def entries_of(parts: Iterable[Partition]) -> Iterator[Entry]:
    """What has become of the rows of several parts, one part in memory at a time."""
    for part in parts:
        yield from part.entries()


def _first_plan(path: Path, plan: dict[str, int]) -> dict[str, int]:
    if not path.exists():
        create_once(path, json.dumps(plan))
    try:
        found = json.loads(path.read_text())
        return {name: int(found[name]) for name in plan}
    except (ValueError, TypeError, KeyError):
        raise BulkError(f"{path} is no plan of an import: name another folder.") from None
