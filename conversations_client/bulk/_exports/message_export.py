"""An export of conversations with their messages, which can be resumed."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, cast

from attrs import evolve, frozen

from conversations_client import (
    Client,
    ConversationsError,
    Failed,
    InvalidArgumentError,
    NotFoundError,
    Outcomes,
    Pages,
    Retrieved,
    RetrieveOutcome,
    unstructure,
)
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._exports.journal import ExportJournal, ExportState, Listing
from conversations_client.bulk._files.atomic_file import atomic_file, check_writable
from conversations_client.bulk._files.formats import format_of
from conversations_client.bulk._files.rows import Fields
from conversations_client.bulk._files.writers import Write, writer

OnProgress = Callable[[int, int | None], object]

_PAGE: Final = 100
_MOST_FAILURES_IN_A_ROW: Final = 50
_MOST_FAILURES_REPORTED: Final = 100
_SAMPLE: Final = 3


@frozen
class ExportFailure:
    """A conversation that could not be retrieved.

    Example:
        report = export_with_messages(client, "backup.jsonl")
        for failure in report.failures:
            print(failure.conversation_id, failure.error)

    Attributes:
        conversation_id: Its ID; None if the service sent none.
        error: The error message.
    """

    conversation_id: str | None
    error: str


@frozen
class ExportReport:
    """The result of an export with messages, over all of its runs.

    Example:
        report = export_with_messages(client, "backup.jsonl")
        assert report.is_written, f"{report.failed} failed: run it again"

    Attributes:
        exported: The conversations that were retrieved.
        deleted: The conversations that were deleted after they were listed; the file lacks them.
        failed: The conversations that could not be retrieved.
        without_messages: The conversations of the file for which the service sends no messages.
        failures: The first 100 of those that failed.
        is_written: Whether the file is written.
    """

    exported: int
    deleted: int
    failed: int
    without_messages: int
    failures: tuple[ExportFailure, ...]
    is_written: bool


def export_with_messages(
    client: Client,
    path: str | os.PathLike[str],
    *,
    entity_ids: Iterable[str | None] = (None,),
    journal: str | os.PathLike[str] | None = None,
    max_in_flight: int = 16,
    rate: float | None = None,
    skip_failed: bool = False,
    on_progress: OnProgress | None = None,
) -> ExportReport:
    """Write conversations with their messages to a file, in the order as listed.

    The export lists the conversations, retrieves each of them (`GET /v2/conversations/{id}`),
    several at once, and writes the file, which appears when it is complete. The journal stores
    what is retrieved, so the same call resumes an export that was stopped in any way. Memory is
    constant for any number of conversations.

    Conversations that are created after the listing has passed them are not exported. If some can't
    be retrieved, the file is not written; the same call tries them again. The export stops with
    the error of the last one if 50 fail in a row.

    Example:
        with Client() as client:
            report = export_with_messages(client, "backup.jsonl", entity_ids=[None, "agent_1"])

    Args:
        client: Whose conversations to export.
        path: The file: JSON Lines or Parquet, according to its extension. An existing file is
            replaced and keeps its mode; a symbolic link stays one.
        entity_ids: The agents and deployments whose conversations to export; None stands for the
            conversations without one. Default: only these.
        journal: The file that stores what is retrieved until `path` is written, a SQLite database;
            for one process at a time. Default: `path` with `.export` at the end.
        max_in_flight: The most conversations to retrieve at once. Default 16.
        rate: The most conversations to retrieve per second; None, the default, for no limit.
        skip_failed: Whether to write the file without those that can't be retrieved. Default False.
        on_progress: Called with the number of conversations that are done and with their total,
            which is None during the listing.

    Returns:
        What was exported.

    Raises:
        BulkError: The kind of file is unknown or can't hold messages; or the journal is that of
            another export, or of a workspace that this client doesn't see.
        InvalidArgumentError: `entity_ids`, `max_in_flight` or `rate` is invalid.
        OSError: The file can't be written; checked before the first request where possible.
        ConversationsError: The service can't be listed, or too many retrievals failed in a row.
    """
    write = writer(format_of(path), messages=True)
    wanted = _checked(entity_ids)
    listings = [client.conversations.list(limit=_PAGE, entity_id=one) for one in wanted]
    check_writable(path)
    with ExportJournal(journal or f"{os.fspath(path)}.export") as opened:
        retrieval = client.conversations.retrieve_many(
            opened.pending(), max_in_flight=max_in_flight, rate=rate
        )
        export = _Export(client, opened, on_progress or _ignore)
        if opened.begin(client.base_url, wanted):
            export.check_workspace()
        for listing in opened.listings():
            export.record_listing(listing, listings[listing.number])
        export.retrieve(retrieval)
        return export.finish(path, write, skip_failed=skip_failed)


def _checked(entity_ids: Iterable[str | None]) -> tuple[str | None, ...]:
    if isinstance(entity_ids, str):
        raise InvalidArgumentError("entity_ids must be an iterable of entity IDs: pass a list.")
    wanted = tuple(dict.fromkeys(entity_ids))
    if not wanted:
        raise InvalidArgumentError(
            "entity_ids is empty: pass None in it for conversations without an entity."
        )
    return wanted


def _ignore(_done: int, _total: int | None) -> None:
    pass


@frozen
class _Export:
    """The steps of an export; each continues where the journal says."""

    client: Client
    journal: ExportJournal
    on_progress: OnProgress

    def check_workspace(self) -> None:
        """Check that the client sees what is exported already; raises BulkError.

        With a key of another workspace the file would mix both, and miss the rest.
        """
        ids = self.journal.sample(_SAMPLE)
        with self.client.conversations.retrieve_many(ids) as outcomes:
            missing = [_is_missing(outcome) for outcome in outcomes]
        if missing and all(missing):
            raise BulkError(
                "The client doesn't see the conversations that the journal has: use a key of the "
                "same workspace, or remove the journal to start again."
            )

    def record_listing(self, listing: Listing, conversations: Pages) -> None:
        """Record the IDs of a listing."""
        count = sum(self.journal.counts().values())
        for page in conversations.pages(after=listing.cursor):
            if page.data:
                self.journal.record_page(listing, [one.id for one in page.data])
            count += len(page.data)
            self.on_progress(count, None)
        self.journal.complete(listing)

    def retrieve(self, retrieval: Outcomes[Retrieved]) -> None:
        """Record what is retrieved."""
        counts = self.journal.counts()
        total = sum(counts.values())
        before = total - counts[ExportState.LISTED]
        failures_in_a_row = 0
        with retrieval as outcomes:
            for done, outcome in enumerate(outcomes, before + 1):
                error = self._record(outcome)
                self.on_progress(done, total)
                failures_in_a_row = failures_in_a_row + 1 if error else 0
                if error and failures_in_a_row == _MOST_FAILURES_IN_A_ROW:
                    raise error

    def finish(
        self, path: str | os.PathLike[str], write: Write, *, skip_failed: bool
    ) -> ExportReport:
        """Write the file, if nothing is missing or may be missing."""
        counts = self.journal.counts()
        failures = islice(self.journal.failures(), _MOST_FAILURES_REPORTED)
        report = ExportReport(
            exported=counts[ExportState.RETRIEVED],
            deleted=counts[ExportState.DELETED],
            failed=counts[ExportState.FAILED],
            without_messages=0,
            failures=tuple(ExportFailure(*failure) for failure in failures),
            is_written=skip_failed or not counts[ExportState.FAILED],
        )
        if not report.is_written:
            return report
        without_messages = self._write(path, write)
        self.journal.finish()
        return evolve(report, without_messages=without_messages)

    def _write(self, path: str | os.PathLike[str], write: Write) -> int:
        """Write the file; returns the number of conversations without messages."""
        count = 0

        def rows() -> Iterator[Fields]:
            nonlocal count
            for row in self.journal.conversations():
                count += "messages" not in row
                yield row

        with atomic_file(path) as temporary:
            write(temporary, rows())
        return count

    def _record(self, outcome: RetrieveOutcome) -> ConversationsError | None:
        """Record an outcome; returns the error of a conversation that couldn't be retrieved."""
        if isinstance(outcome, Retrieved):
            content = json.dumps(unstructure(outcome.conversation))
            self.journal.record(outcome.conversation_id, ExportState.RETRIEVED, content)
            return None
        conversation_id = cast("str", outcome.conversation_id)
        if _is_missing(outcome):
            self.journal.record(conversation_id, ExportState.DELETED)
            return None
        self.journal.record(conversation_id, ExportState.FAILED, str(outcome.error))
        return outcome.error


def _is_missing(outcome: RetrieveOutcome) -> bool:
    return isinstance(outcome, Failed) and isinstance(outcome.error, NotFoundError)
