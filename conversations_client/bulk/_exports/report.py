"""What an export with messages reports."""

from attrs import frozen


@frozen
class ExportFailure:
    """A conversation that could not be retrieved.

    Example:
        report = export_with_messages(client, "backup.jsonl")
        for failure in report.failures:
            print(failure.conversation_id, failure.error)

    Attributes:
        conversation_id: The ID, or None if the service sent no ID.
        error: The error message.
    """

    conversation_id: str | None
    error: str


@frozen
class ExportReport:
    """The result of an export with messages, across all of its runs.

    Example:
        report = export_with_messages(client, "backup.jsonl")
        assert report.is_written, f"{report.failed} failed: run it again"

    Attributes:
        exported: The number of conversations retrieved.
        deleted: The number of conversations that were deleted after they were listed. They are not
            in the file.
        failed: The number of conversations that could not be retrieved.
        without_messages: The number of conversations in the file for which the service sent no
            messages.
        failures: The first 100 failures.
        is_written: Whether the file was written.
        includes_others: Whether the service listed conversations of entities that are not in
            `entity_ids`. Revision 1 of the API doesn't filter by entity.
    """

    exported: int
    deleted: int
    failed: int
    without_messages: int
    failures: tuple[ExportFailure, ...]
    is_written: bool
    includes_others: bool = False
