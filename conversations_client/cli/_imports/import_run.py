"""A run of an import, which signals can stop."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from conversations_client.bulk import Journal, Report, State
from conversations_client.cli._display.output import Output, print_message
from conversations_client.cli._imports.import_files import ImportFiles
from conversations_client.cli._imports.report import print_json, report_failures
from conversations_client.cli._signals import before_forced_end, waiting_for_requests


@frozen
class ImportRun:
    """A run of an import, which signals can stop."""

    record: Journal
    files: ImportFiles
    output: Output
    created_before: int

    def count_skipped(self, *, keys_are_trusted: bool) -> int:
        """The number of rows that earlier runs finished, so that this run doesn't send them."""
        counts = self.record.counts()
        unsent = {State.FAILED}
        if keys_are_trusted:
            unsent |= {State.DOUBTFUL, State.SENT}
        return sum(count for state, count in counts.items() if state not in unsent)

    @contextmanager
    def stoppable(self) -> Generator[None, None, None]:
        """In the block, report what was imported if a signal stops the import."""
        with waiting_for_requests(self._in_flight), before_forced_end(self._end_at_once):
            try:
                yield
            except KeyboardInterrupt:
                are_written = self.files.write_results(self.record)
                results = self.files.results
                listed = f" {results} lists the status of each row so far." if are_written else ""
                self._report("Stopped after", listed, results if are_written else None)
                raise

    def _in_flight(self) -> int:
        return self.record.counts()[State.SENT]

    def _end_at_once(self) -> None:
        """Report the rows in flight as doubtful, and close the journal."""
        self._report("Ended at once after", f" {self.files.results} was not updated.", None)
        self.record.close()

    def _report(self, what: str, details: str, results: Path | None) -> None:
        counts = self.record.counts()
        created = counts[State.CREATED]
        new = created - self.created_before
        before = f" ({self.created_before:,} were created before)" if self.created_before else ""
        print_message(
            f"{what} creating {new:,} conversation{'s' * (new != 1)}{before}. Run the same command "
            f"again to continue.{details}"
        )
        doubtful = counts[State.DOUBTFUL] + counts[State.SENT]
        report = Report(created=created, failed=counts[State.FAILED], doubtful=doubtful, new=new)
        report_failures(report, results)
        if not self.output.is_for_people:
            print_json(report, self.files.results, self.output)
