"""The status of a row of an import."""

from enum import StrEnum

from attrs import field, frozen

from conversations_client import ConversationsError
from conversations_client.bulk._files.rows import Key


class State(StrEnum):
    """The status of a row.

    Example:
        with Journal("import.journal") as journal:
            import_file(client, "conversations.jsonl", journal)
            assert journal.counts()[State.CREATED] == 2
    """

    SENT = "sent"
    """It was sent and has no outcome. After a crash, its conversation may have been created."""
    CREATED = "created"
    FAILED = "failed"
    """Its conversation was not created."""
    DOUBTFUL = "doubtful"
    """Its conversation may have been created."""


@frozen
class Entry:
    """The status of a row.

    Attributes:
        number: The row's number, starting at 1.
        digest: A digest of the row's content.
        state: The status.
        detail: The ID of the new conversation, or the error message. Use `conversation_id` or
            `error` to get one or the other.
        key: The row's value in the key column, if the import has a key column.
        line: The line of the file on which the row starts; the first line is 1. None if unknown.
        exception: The error, if the row failed or became doubtful in this run. None for other rows,
            and in entries from a journal. It is ignored when entries are compared.
        is_skipped: Whether this run skips the row because an earlier run sent it. Such entries are
            passed only to `on_row`; the journal doesn't record them.

    Example:
        >>> Entry(number=1, digest="", state=State.FAILED, detail="The row is empty.").state
        <State.FAILED: 'failed'>
    """

    number: int
    digest: str
    state: State
    detail: str
    key: Key = None
    line: int | None = None
    exception: ConversationsError | None = field(default=None, eq=False, repr=False)
    is_skipped: bool = field(default=False, eq=False)

    @property
    def conversation_id(self) -> str | None:
        """The ID of the new conversation.

        None if `state` isn't `CREATED` or the service sent no ID.

        Example:
            >>> Entry(number=1, digest="", state=State.CREATED, detail="conv_1").conversation_id
            'conv_1'
        """
        return self.detail or None if self.state is State.CREATED else None

    @property
    def error(self) -> str | None:
        """The error message of a failed or doubtful row; None for other rows.

        Example:
            >>> Entry(number=1, digest="", state=State.FAILED, detail="The row is empty.").error
            'The row is empty.'
        """
        return None if self.state is State.CREATED else self.detail or None

    def is_to_be_sent(self, *, keys_are_trusted: bool) -> bool:
        """Whether the next run sends the row.

        Args:
            keys_are_trusted: Whether the service honors idempotency keys, so that a repeated
                request can't create a second conversation.

        Example:
            doubtful = Entry(number=1, digest="", state=State.DOUBTFUL, detail="A timeout.")
            assert doubtful.is_to_be_sent(keys_are_trusted=True)
            assert not doubtful.is_to_be_sent(keys_are_trusted=False)
        """
        if self.state in {State.SENT, State.DOUBTFUL}:
            return keys_are_trusted
        return self.state is State.FAILED
