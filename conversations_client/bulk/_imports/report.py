"""The counts of an import."""

from collections.abc import Iterable

from attrs import frozen


@frozen
class Report:
    """Counts of imported, failed and doubtful rows.

    Attributes:
        created: The number of rows whose conversation was created, by this run or an earlier one.
        failed: The number of rows whose conversation was not created. The next run sends these rows
            again.
        doubtful: The number of rows whose conversation may have been created.
        new: The number of rows whose conversation was created by this run.

    Example:
        with Journal("import.journal") as journal:
            report = import_file(client, "conversations.jsonl", journal)
        assert report == Report(created=2, failed=0, doubtful=0, new=2)
    """

    created: int
    failed: int
    doubtful: int
    new: int = 0

    @property
    def created_before(self) -> int:
        """The number of rows whose conversation was created by an earlier run.

        Example:
            >>> Report(created=5, failed=0, doubtful=0, new=2).created_before
            3
        """
        return self.created - self.new


def total(reports: Iterable[Report]) -> Report:
    """Add up several reports.

    Example:
        >>> total([Report(created=2, failed=1, doubtful=0)] * 2)
        Report(created=4, failed=2, doubtful=0, new=0)
    """
    columns = [(each.created, each.failed, each.doubtful, each.new) for each in reports]
    created, failed, doubtful, new = map(sum, zip((0, 0, 0, 0), *columns, strict=True))
    return Report(created=created, failed=failed, doubtful=doubtful, new=new)
