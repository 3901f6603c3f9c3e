"""The counts of an import."""

from collections.abc import Iterable

from attrs import frozen


@frozen
class Report:
    """How many rows were created, failed or are doubtful.

    Attributes:
        created: Rows that are created, in this run or an earlier one.
        failed: Rows that are not created. The next run sends them again.
        doubtful: Rows that may be created.
        new: Rows that this run created.
    """

    created: int
    failed: int
    doubtful: int
    new: int = 0

    @property
    def created_before(self) -> int:
        """Rows that an earlier run created."""
        return self.created - self.new


def total(reports: Iterable[Report]) -> Report:
    """Add several reports.

    Example:
        >>> total([Report(created=2, failed=1, doubtful=0)] * 2)
        Report(created=4, failed=2, doubtful=0, new=0)
    """
    columns = [(one.created, one.failed, one.doubtful, one.new) for one in reports]
    created, failed, doubtful, new = map(sum, zip((0, 0, 0, 0), *columns, strict=True))
    return Report(created=created, failed=failed, doubtful=doubtful, new=new)
