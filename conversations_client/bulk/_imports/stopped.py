"""The error of an import that stopped after rows were sent."""

from conversations_client import ConversationsError, Delivery
from conversations_client.bulk._imports.journal import Entry
from conversations_client.bulk._imports.report import Report


class ImportStoppedError(ConversationsError):
    """The file or the journal failed after rows were sent.

    The same import can be run again. A row in `unrecorded` is doubtful in the next run.

    Attributes:
        report: The counts up to the error, including rows that the journal doesn't have.
        unrecorded: Outcomes that the journal could not record.
    """

    def __init__(self, message: str, *, report: Report, unrecorded: tuple[Entry, ...] = ()) -> None:
        delivery = Delivery.UNKNOWN if unrecorded else Delivery.UNSENT
        super().__init__(message, delivery=delivery)
        self.report = report
        self.unrecorded = unrecorded
