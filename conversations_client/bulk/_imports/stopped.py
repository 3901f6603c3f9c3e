"""The error class for imports that stop after rows were sent."""

from conversations_client import ConversationsError, Delivery
from conversations_client.bulk._imports.entry import Entry
from conversations_client.bulk._imports.report import Report


class ImportStoppedError(ConversationsError):
    """The import stopped after rows were sent, for example because the file or the journal failed.

    You can run the same import again. A row in `unrecorded` is doubtful in the next run.

    Attributes:
        report: The counts up to the error, including rows whose outcome is not in the journal.
        unrecorded: Outcomes that could not be recorded.

    Example:
        try:
            with Journal("import.journal") as journal:
                import_file(client, "conversations.jsonl", journal)
        except ImportStoppedError as error:
            print(error.report, error.unrecorded)
    """

    def __init__(self, message: str, *, report: Report, unrecorded: tuple[Entry, ...] = ()) -> None:
        delivery = Delivery.UNKNOWN if unrecorded else Delivery.UNSENT
        super().__init__(message, delivery=delivery)
        self.report = report
        self.unrecorded = unrecorded
