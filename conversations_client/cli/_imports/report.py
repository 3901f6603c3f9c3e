"""What an import reports: counts, and the rows that were not imported."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from attrs import define, field

from conversations_client.bulk import Entry, Report, State
from conversations_client.cli._display.output import Output, print_error
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._exit_codes import ExitCode, exit_code
from conversations_client.cli._imports.doubtful_rows import problem_of

_SHOWN_FAILURES: Final = 5


@define
class RowOutcomes:
    """Advances the progress bar and stores the first rows that were not imported."""

    advance: Callable[[Entry], object]
    failures: list[Entry] = field(factory=list[Entry])
    count: int = 0
    unreachable: int = 0

    def __call__(self, entry: Entry) -> None:
        error = entry.exception
        self.unreachable += error is not None and exit_code(error) is ExitCode.UNREACHABLE
        if entry.state is not State.CREATED:
            self.count += 1
            # Outcomes arrive in any order.
            self.failures = sorted([*self.failures, entry], key=_number)[:_SHOWN_FAILURES]
        if not entry.is_skipped:
            self.advance(entry)

    def lines(self) -> Iterator[str]:
        """A line about each of these rows."""
        for entry in self.failures:
            line = "" if entry.line is None else f" (line {entry.line:,})"
            yield f"Row {entry.number:,}{line}: {one_line(problem_of(entry))}"
        if self.count > len(self.failures):
            yield f"And {self.count - len(self.failures):,} more."


def _number(entry: Entry) -> int:
    return entry.number


def show(
    report: Report, rows: RowOutcomes, results: Path, output: Output, *, are_written: bool
) -> None:
    """Print the report on stdout, with the first rows that were not imported.

    If stdout isn't for people, print these rows on stderr, where cron, for example, finds them.
    """
    if not output.is_for_people:
        print_json(report, results, output)
        for line in rows.lines():
            print_error(line)
        return
    created = f"{report.created:,} created"
    if report.created_before:
        created = f"{report.new:,} new, {report.created_before:,} already created"
    listed = f": {one_line(str(results))} lists the status of each row" if are_written else ""
    output.out.print(
        f"{created}, {report.failed:,} failed, {report.doubtful:,} doubtful{listed}.",
        soft_wrap=True,
    )
    for line in rows.lines():
        output.out.print(line, soft_wrap=True)


def print_json(report: Report, results: Path | None, output: Output) -> None:
    """Print the report as JSON."""
    counts = {
        "created": report.created,
        "new": report.new,
        "created_before": report.created_before,
        "failed": report.failed,
        "doubtful": report.doubtful,
    }
    output.json({**counts, "results": None if results is None else str(results)})


def report_failures(report: Report, results: Path | None) -> None:
    """Report on stderr the rows that were not imported, because stdout may be a file."""
    problems = {"failed": report.failed, "may have been imported": report.doubtful}
    found = [
        f"{count:,} row{'s' * (count != 1)} {what}" for what, count in problems.items() if count
    ]
    if found:
        where = "" if results is None else f": see {one_line(str(results))}"
        print_error(f"{' and '.join(found)}{where}.")
