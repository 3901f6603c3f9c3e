"""`conversations import`."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, ParamSpec

from attrs import define, field, frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from conversations_client import Retry, TransportError
from conversations_client.bulk import (
    BulkError,
    Entry,
    ImportStoppedError,
    Journal,
    Report,
    State,
    check_file,
    import_file,
    write_results,
)
from conversations_client.cli._commands.doubtful_rows import advice, problem_of, with_advice
from conversations_client.cli._display.output import Output, print_error, print_message
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._display.progress import progress_bar
from conversations_client.cli._exit_codes import ADVICE, ExitCode, UsageError, exit_code
from conversations_client.cli._open_files import check_not_open
from conversations_client.cli._option_names import describe
from conversations_client.cli._session import Injected
from conversations_client.cli._signals import (
    before_forced_end,
    stopped_by_signals,
    waiting_for_requests,
)

P = ParamSpec("P")

_POSITIVE: Final = Number(gt=0)
_SHOWN_FAILURES: Final = 5
_PLAIN: Final = Parameter(negative="", show_default=False)


@stopped_by_signals()
def import_(
    file: Path,
    /,
    *,
    mapped: Annotated[tuple[str, ...], Parameter(name="--map"), _PLAIN] = (),
    key: str | None = None,
    ignore: Annotated[tuple[str, ...], _PLAIN] = (),
    rate: Annotated[float | None, Parameter(validator=_POSITIVE)] = None,
    max_in_flight: Annotated[int, Parameter(validator=_POSITIVE)] = 16,
    trust_idempotency_keys: Annotated[bool, _PLAIN] = False,
    journal: Path | None = None,
    results: Path | None = None,
    change_destination: Annotated[bool, _PLAIN] = False,
    session: Injected,
) -> ExitCode:
    """Create a conversation for each row of a file. To resume, run the same command again.

    Args:
        file: JSON Lines, CSV or Parquet, according to its extension.
        mapped: Read a field, such as displayName, from a column with a different name, as
            FIELD=COLUMN; can be repeated.
        key: A column to copy into the results.
        ignore: A column to ignore; can be repeated.
        rate: The maximum number of conversations per second; no limit by default.
        max_in_flight: The maximum number of conversations to create at once.
        trust_idempotency_keys: Resend doubtful rows. Use this only if the service never creates two
            conversations for the same Idempotency-Key. By default, doubtful rows are only listed.
        journal: The journal of this import; default: FILE.journal.
        results: The file for the status of each row, as JSON Lines; default: FILE.results.jsonl.
        change_destination: Continue an import at a different URL, in a different project or with a
            different key. Rows that were already imported are skipped.
        session: The common options and the output.
    """
    if file == Path("-"):
        raise UsageError(
            "An import reads its file more than once, and its journal refers to rows by number. "
            "Save the input to a file first."
        )
    columns = _columns(mapped)
    total = _check(file, lambda: check_file(file, columns=columns, key=key, ignore=ignore))
    files = _Files(
        journal=journal or _beside(file, "journal"),
        results=results or _beside(file, "results.jsonl"),
        is_resent=trust_idempotency_keys,
    )
    files.check_names(file)
    files.check_folders()
    files.check_journal()
    retry = Retry(trust_idempotency_key=trust_idempotency_keys)
    with (
        session.target() as target,
        target.client(retry=retry) as client,
        Journal(files.journal) as record,
    ):
        files.check_results(record)
        run = _Run(record, files, session.output, record.counts()[State.CREATED])
        done = run.count_skipped(keys_are_trusted=trust_idempotency_keys)
        with run.stoppable(), progress_bar(total, done=done) as bar:
            rows = _Rows(bar.advance)
            report, stopped = _attempt(
                import_file,
                client,
                file,
                record,
                columns=columns,
                key=key,
                ignore=ignore,
                max_in_flight=max_in_flight,
                rate=rate,
                destination=target.name,
                change_destination=change_destination,
                on_row=rows,
            )
        are_written = files.write_results(record)
    _show(report, rows, files.results, session.output, are_written=are_written)
    _report_failures(report, files.results if are_written else None)
    if report.doubtful:
        print_message(advice(is_resent=trust_idempotency_keys))
    return _end(report, rows, stopped, are_written=are_written)


def _attempt(
    import_all: Callable[P, Report], *arguments: P.args, **options: P.kwargs
) -> tuple[Report, ImportStoppedError | None]:
    """The report of an import, and the error that stopped it, if there is one."""
    try:
        return import_all(*arguments, **options), None
    except ImportStoppedError as error:
        return error.report, error


def _end(
    report: Report, rows: "_Rows", stopped: ImportStoppedError | None, *, are_written: bool
) -> ExitCode:
    if stopped is not None:
        print_error(describe(stopped))
    if report.doubtful or (stopped is not None and stopped.may_have_acted):
        return ExitCode.UNKNOWN
    if _is_unreachable(report, rows, stopped):
        print_message(ADVICE[ExitCode.UNREACHABLE])
        return ExitCode.UNREACHABLE
    if report.failed or stopped is not None:
        return ExitCode.FAILED
    return ExitCode.DONE if are_written else ExitCode.OUTPUT_LOST


def _is_unreachable(report: Report, rows: "_Rows", stopped: ImportStoppedError | None) -> bool:
    """Whether nothing was created, and nothing is wrong except that no request was sent."""
    if stopped is not None:
        cause = stopped.__cause__ and stopped.__cause__.__cause__
        if not isinstance(cause, TransportError):
            return False
    return 0 < report.failed == rows.unreachable and not report.new


def _report_failures(report: Report, results: Path | None) -> None:
    """Report on stderr the rows that were not imported, because stdout may be a file."""
    problems = {"failed": report.failed, "may have been imported": report.doubtful}
    found = [
        f"{count:,} row{'s' * (count != 1)} {what}" for what, count in problems.items() if count
    ]
    if found:
        where = "" if results is None else f": see {one_line(str(results))}"
        print_error(f"{' and '.join(found)}{where}.")


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")


def _columns(mapped: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for each in mapped:
        name, _, column = each.partition("=")
        if not name or not column:
            raise UsageError("--map takes FIELD=COLUMN, such as --map displayName=title.")
        if name in columns:
            raise UsageError(f"--map has two columns for {name}. Remove one of them.")
        columns[name] = column
    return columns


def _check(file: Path, check: Callable[[], int]) -> int:
    try:
        return check()
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from None


@frozen
class _Files:
    """The files that an import writes."""

    journal: Path
    results: Path
    is_resent: bool
    """Whether running the same command again sends doubtful rows again."""

    def check_names(self, source: Path) -> None:
        """Check that the results overwrite neither the file, the journal nor an open file."""
        check_not_open(self.journal, "--journal")
        check_not_open(self.results, "--results")
        # Not Path.resolve, which raises RuntimeError for a symbolic link to itself.
        names = [os.path.realpath(each) for each in (source, self.journal, self.results)]
        if len(set(names)) < len(names):
            raise UsageError("The file, its journal and its results must be three different files.")

    def check_folders(self) -> None:
        """Check that new files can be created, as the journal and the results need them."""
        refused: dict[str, Path] = {}
        for option, path in {"--journal": self.journal, "--results": self.results}.items():
            folder = Path(os.path.realpath(path)).parent
            if folder.is_dir() and not (os.access(folder, os.W_OK | os.X_OK) or _is_stream(path)):
                refused[option] = folder
        if refused:
            folders = " and ".join(map(str, dict.fromkeys(refused.values())))
            raise UsageError(
                f"You don't have permission to create files in {folders}. Nothing was sent. Choose "
                f"files in another folder with {' and '.join(refused)}."
            )

    def check_journal(self) -> None:
        """Check that no row is imported again because the journal was lost."""
        try:
            is_used = _has_content(self.results)
            has_journal = _has_content(self.journal)
        except OSError:  # such as a name that is too long; `check_results` reports it
            return
        if is_used and not has_journal:
            raise UsageError(
                f"{self.results} has the results of an import, but its journal {self.journal} is "
                "missing or empty. Pass the journal with --journal, or move the results elsewhere "
                "to import every row again."
            )

    def check_results(self, record: Journal) -> None:
        """Before anything is sent, write the results so far to check that they can be written.

        A pipe or device is not checked, because its reader would get these results twice.
        """
        try:
            if not _is_stream(self.results):
                self._write_results(record)
        except OSError as error:
            raise UsageError(
                f"The results can't be written to {self.results}: {error.strerror}. Nothing was "
                "sent. Choose another file with --results."
            ) from None

    def write_results(self, record: Journal) -> bool:
        """Write the results; returns False and prints the error if that fails."""
        try:
            self._write_results(record)
        except (OSError, BulkError) as error:
            problem = error.strerror if isinstance(error, OSError) else error
            print_error(
                f"The results can't be written to {self.results}: {problem}. The journal "
                f"{self.journal} has the status of each row. To write the results, run the command "
                "again with --results and a file on another disk; rows that were created are not "
                "sent again."
            )
            return False
        return True

    def _write_results(self, record: Journal) -> None:
        described = (with_advice(each, is_resent=self.is_resent) for each in record.entries())
        write_results(described, self.results)


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _is_stream(path: Path) -> bool:
    """Whether a path is a pipe or device, which can't be written twice."""
    return path.exists() and not (path.is_file() or path.is_dir())


@define
class _Rows:
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


@frozen
class _Run:
    """A run of an import, which signals can stop."""

    record: Journal
    files: _Files
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
        _report_failures(report, results)
        if not self.output.is_for_people:
            _print_json(report, self.files.results, self.output)


def _show(report: Report, rows: _Rows, results: Path, output: Output, *, are_written: bool) -> None:
    if not output.is_for_people:
        _print_json(report, results, output)
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


def _print_json(report: Report, results: Path, output: Output) -> None:
    counts = {
        "created": report.created,
        "new": report.new,
        "created_before": report.created_before,
        "failed": report.failed,
        "doubtful": report.doubtful,
    }
    output.json({**counts, "results": str(results)})
