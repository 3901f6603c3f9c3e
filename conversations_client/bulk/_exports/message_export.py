"""Exports conversations with their messages; a stopped export can be resumed."""

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
    StatusError,
    TransportError,
    unstructure,
)
from conversations_client.bulk._arguments import check_client
from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._exports.journal import ExportJournal, ExportState, Listing
from conversations_client.bulk._exports.report import ExportFailure, ExportReport
from conversations_client.bulk._files.atomic_file import atomic_file, check_writable
from conversations_client.bulk._files.formats import export_format
from conversations_client.bulk._files.rows import Fields
from conversations_client.bulk._files.writers import Write, writer
from conversations_client.bulk._long_waits import asks_for_long_wait
from conversations_client.bulk._text import check_path

OnProgress = Callable[[int, int | None], object]

_PAGE: Final = 100
_MAX_CONSECUTIVE_FAILURES: Final = 50
_MAX_REPORTED_FAILURES: Final = 100
_SAMPLE: Final = 3


def export_with_messages(
    client: Client,
    path: str | os.PathLike[str],
    *,
    entity_ids: Iterable[str | None] = (None,),
    journal: str | os.PathLike[str] | None = None,
    max_in_flight: int = 16,
    rate: float | None = None,
    skip_failed: bool = False,
    source: str | None = None,
    on_progress: OnProgress | None = None,
) -> ExportReport:
    """Write conversations with their messages to a file, in the order of the listings.

    The export lists the conversations, retrieves several at once (`GET /v2/conversations/{id}`),
    and writes the file, which appears only when it is complete. The journal stores every retrieved
    conversation: if the export stops for any reason, call the function again to resume it. Memory
    use is constant regardless of the number of conversations.

    Conversations that are created during the export may be missing. If a conversation can't be
    retrieved, the file is not written; call the function again to retry the conversation. After 50
    failures in a row, the export raises the last error. It raises the first error whose
    `Retry-After` is longer than `Retry.retry_after_max`.

    Example:
        with Client() as client:
            report = export_with_messages(client, "backup.jsonl", entity_ids=[None, "agent_1"])

    Args:
        client: The client that lists and retrieves the conversations.
        path: The file: JSON Lines or Parquet, according to its extension. An existing file is
            replaced, and its file mode is kept. If `path` is a symbolic link, its target is
            replaced.
        entity_ids: The agents and deployments whose conversations are exported; None stands for
            conversations without an agent or deployment. Default: `(None,)`.
        journal: The SQLite file that stores the retrieved conversations until `path` is written.
            Only one process can use it at a time. Default: `path` plus `.export`.
        max_in_flight: The maximum number of conversations to retrieve at once. Default: 16.
        rate: The maximum number of conversations to retrieve per second. Default: no limit.
        skip_failed: Whether to write the file without the conversations that can't be retrieved.
            Default: False.
        source: A name for the service if its URL changes between runs. Default: the client's
            `base_url`.
        on_progress: Called with the number of conversations processed so far and the total, which
            is None while conversations are being listed.

    Returns:
        The counts and the first failures.

    Raises:
        BulkError: The file format is unknown or can't store messages; or the journal belongs to a
            different export, or to a workspace that this client can't access.
        InvalidArgumentError: `entity_ids`, `max_in_flight` or `rate` is invalid.
        OSError: The file can't be written; checked before the first request where possible.
        ConversationsError: A listing failed, too many retrievals failed in a row, or the service
            asks to wait longer than `Retry.retry_after_max`.
    """
    check_client(client)
    write = writer(export_format(path, messages=True), messages=True)
    entities = _unique(entity_ids)
    listings = [client.conversations.list(limit=_PAGE, entity_id=entity) for entity in entities]
    check_writable(path)
    with ExportJournal(_journal_path(path, journal)) as export_journal:
        retrieval = client.conversations.retrieve_many(
            export_journal.pending(), max_in_flight=max_in_flight, rate=rate
        )
        export = _Export(client, export_journal, on_progress or _ignore)
        if export_journal.begin(source or client.base_url, entities):
            export.check_workspace()
        for listing in export_journal.listings():
            export.record_listing(listing, listings[listing.number])
        export.retrieve(retrieval)
        return export.finish(path, write, skip_failed=skip_failed)


def _journal_path(
    path: str | os.PathLike[str], journal: str | os.PathLike[str] | None
) -> str | os.PathLike[str]:
    """The path of the journal; raises BulkError if it is the exported file."""
    journal = journal or f"{os.fspath(path)}.export"
    check_path(journal, "journal")
    if os.path.realpath(journal) == os.path.realpath(path):
        # The journal is deleted at the end of the export.
        raise BulkError(f"{os.fspath(path)} and its journal must be two different files.")
    return journal


def _unique(entity_ids: object) -> tuple[str | None, ...]:
    if isinstance(entity_ids, str):
        raise InvalidArgumentError("entity_ids must be a list of entity IDs, not a string.")
    if not isinstance(entity_ids, Iterable):
        raise InvalidArgumentError(
            f"entity_ids must be a list of entity IDs, not {type(entity_ids).__name__}. To export "
            "conversations without an entity, omit entity_ids or pass [None]."
        )
    entities = tuple(dict.fromkeys(cast("Iterable[str | None]", entity_ids)))
    if not entities:
        raise InvalidArgumentError(
            "entity_ids is empty. To export conversations without an entity, pass [None]."
        )
    return entities


def _ignore(_done: int, _total: int | None) -> None:
    pass


@frozen
class _Export:
    """The steps of an export; each resumes from the state in the journal."""

    client: Client
    journal: ExportJournal
    on_progress: OnProgress

    def check_workspace(self) -> None:
        """Check that the client can access conversations that are already in the journal.

        With a key for another workspace, the file would mix both workspaces and have gaps.

        Raises:
            BulkError: The client can't access any of them.
            TransportError: The service can't be reached.
            StatusError: The service asks for a longer wait than the client allows.
        """
        ids = self.journal.sample(_SAMPLE)
        with self.client.conversations.retrieve_many(ids) as outcomes:
            found = list(outcomes)
        for outcome in found:
            self._check_wait(outcome.error if isinstance(outcome, Failed) else None)
        unsent = [error for outcome in found if (error := _unsent(outcome))]
        if unsent and len(unsent) == len(found):
            raise unsent[0]
        if found and all(map(_is_missing, found)):
            raise BulkError(
                "The client can't access the conversations in the journal. Use a key for the same "
                "workspace, or delete the journal to start again."
            )

    def record_listing(self, listing: Listing, conversations: Pages) -> None:
        """Record the IDs of a listing."""
        count = sum(self.journal.counts().values())
        for page in conversations.pages(after=listing.cursor):
            if page.data:
                self.journal.record_page(listing, [each.id for each in page.data])
            if any(each.entity_id != listing.entity_id for each in page.data):
                self.journal.record_others()
            count += len(page.data)
            self.on_progress(count, None)
        self.journal.complete(listing)

    def retrieve(self, retrieval: Outcomes[Retrieved]) -> None:
        """Retrieve the conversations and record them."""
        counts = self.journal.counts()
        total = sum(counts.values())
        before = total - counts[ExportState.LISTED]
        self.on_progress(before, total)
        with retrieval as outcomes:
            try:
                self._record_all(outcomes, before, total)
            except (KeyboardInterrupt, StatusError):
                # The end of the block would wait for the calls in flight and discard the outcomes.
                outcomes.stop()
                for outcome in outcomes:
                    self._record(outcome)
                raise

    def _record_all(self, outcomes: Outcomes[Retrieved], before: int, total: int) -> None:
        consecutive_failures = 0
        for done, outcome in enumerate(outcomes, before + 1):
            error = self._record(outcome)
            self._check_wait(error)
            self.on_progress(done, total)
            consecutive_failures = consecutive_failures + 1 if error else 0
            if error and consecutive_failures == _MAX_CONSECUTIVE_FAILURES:
                raise error

    def _check_wait(self, error: ConversationsError | None) -> None:
        """Raise an error that asks for a longer wait than the client allows."""
        if error is not None and asks_for_long_wait(error, self.client.retry):
            raise error

    def finish(
        self, path: str | os.PathLike[str], write: Write, *, skip_failed: bool
    ) -> ExportReport:
        """Write the file, unless conversations failed and `skip_failed` is False."""
        counts = self.journal.counts()
        failures = islice(self.journal.failures(), _MAX_REPORTED_FAILURES)
        report = ExportReport(
            exported=counts[ExportState.RETRIEVED],
            deleted=counts[ExportState.DELETED],
            failed=counts[ExportState.FAILED],
            without_messages=0,
            failures=tuple(ExportFailure(*failure) for failure in failures),
            is_written=skip_failed or not counts[ExportState.FAILED],
            includes_others=self.journal.includes_others(),
        )
        if not report.is_written:
            return report
        without_messages = self._write(path, write)
        self.journal.finish()
        return evolve(report, without_messages=without_messages)

    def _write(self, path: str | os.PathLike[str], write: Write) -> int:
        """Write the file and return the number of conversations without messages."""
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
        """Record an outcome; returns the error if the conversation could not be retrieved."""
        if isinstance(outcome, Retrieved):
            self._record_content(outcome)
            return None
        conversation_id = cast("str", outcome.conversation_id)
        if _is_missing(outcome):
            self.journal.record(conversation_id, ExportState.DELETED)
            return None
        if not asks_for_long_wait(outcome.error, self.client.retry):
            self.journal.record(conversation_id, ExportState.FAILED, str(outcome.error))
        return outcome.error

    def _record_content(self, outcome: Retrieved) -> None:
        if outcome.conversation.id in {None, outcome.conversation_id}:
            content = json.dumps(unstructure(outcome.conversation))
            self.journal.record(outcome.conversation_id, ExportState.RETRIEVED, content)
        else:
            problem = "The service sent a different conversation."
            self.journal.record(outcome.conversation_id, ExportState.FAILED, problem)


def _unsent(outcome: RetrieveOutcome) -> TransportError | None:
    """The error of a request that could not be sent."""
    error = outcome.error if isinstance(outcome, Failed) else None
    return error if isinstance(error, TransportError) and not error.may_have_acted else None


def _is_missing(outcome: RetrieveOutcome) -> bool:
    return isinstance(outcome, Failed) and isinstance(outcome.error, NotFoundError)
