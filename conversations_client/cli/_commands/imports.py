"""`conversations import`."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Final, ParamSpec

from cyclopts import Parameter
from cyclopts.validators import Number

from conversations_client import TransportError
from conversations_client.bulk import (
    BulkError,
    ImportStoppedError,
    Report,
    State,
    check_file,
    import_file,
)
from conversations_client.cli._display.output import print_error, print_message
from conversations_client.cli._display.progress import progress_bar
from conversations_client.cli._exit_codes import ADVICE, ExitCode, UsageError
from conversations_client.cli._imports.doubtful_rows import advice
from conversations_client.cli._imports.dry_run import dry_run
from conversations_client.cli._imports.import_files import ImportFiles
from conversations_client.cli._imports.import_run import ImportRun
from conversations_client.cli._imports.report import RowOutcomes, report_failures, show
from conversations_client.cli._option_names import describe
from conversations_client.cli._retries import RetryOptions
from conversations_client.cli._session import Injected
from conversations_client.cli._signals import (
    stopped_by_signals,
)

P = ParamSpec("P")

_POSITIVE: Final = Number(gt=0)
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
    is_dry_run: Annotated[bool, Parameter(name="--dry-run"), _PLAIN] = False,
    retries: Annotated[RetryOptions, Parameter(name="*")] = RetryOptions(),  # noqa: B008 - frozen
    session: Injected,
) -> ExitCode:
    """Create a conversation for each row of a file. To resume, run the same command again.

    Args:
        file: JSON Lines, CSV or Parquet, according to its extension.
        mapped: Read a field, such as displayName, from a column with a different name, as
            FIELD=COLUMN; can be repeated.
        key: A column to copy into the results. Its values can repeat: every row is imported.
        ignore: A column to ignore; can be repeated.
        rate: The maximum number of conversations per second; no limit by default.
        max_in_flight: The maximum number of conversations to create at once.
        trust_idempotency_keys: Resend doubtful rows. Use this only if the service never creates two
            conversations for the same Idempotency-Key. By default, doubtful rows are only listed.
        journal: The journal of this import; default: FILE.journal.
        results: The file for the status of each row, as JSON Lines; default: FILE.results.jsonl.
        change_destination: Continue an import at a different URL, in a different project or with a
            different key. Rows that were already imported are skipped.
        is_dry_run: Check every row and report what the import would create. Nothing is sent, and
            no file is written.
        retries: The options for throttled requests and other temporary failures.
        session: The common options and the output.
    """
    if file == Path("-"):
        raise UsageError(
            "An import reads its file more than once, and its journal refers to rows by number. "
            "Save the input to a file first."
        )
    columns = _columns(mapped)
    with _readable(file), _repeatable((*columns.values(), *ignore)):
        total = check_file(file, columns=columns, key=key, ignore=ignore)
    files = ImportFiles(
        journal=journal or _beside(file, "journal"),
        results=results or _beside(file, "results.jsonl"),
        is_resent=trust_idempotency_keys,
    )
    files.check_names(file)
    files.check_folders()
    files.check_journal()
    session = retries.applied(session, keys_are_trusted=trust_idempotency_keys)
    import_all = partial(
        import_file,
        columns=columns,
        key=key,
        ignore=ignore,
        change_destination=change_destination,
    )
    if is_dry_run:
        return dry_run(import_all, file, files.journal, session, total=total)
    with (
        session.target() as target,
        target.client() as client,
        files.open_journal() as record,
    ):
        files.check_results(record)
        run = ImportRun(record, files, session.output, record.counts()[State.CREATED])
        done = run.count_skipped(keys_are_trusted=trust_idempotency_keys)
        with run.stoppable(), progress_bar(total, done=done) as bar:
            rows = RowOutcomes(bar.advance)
            report, stopped = _attempt(
                import_all,
                client,
                file,
                record,
                max_in_flight=max_in_flight,
                rate=rate,
                destination=target.name,
                on_row=rows,
            )
        are_written = files.write_results(record)
    show(report, rows, files.results, session.output, are_written=are_written)
    report_failures(report, files.results if are_written else None)
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
    report: Report, rows: RowOutcomes, stopped: ImportStoppedError | None, *, are_written: bool
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


def _is_unreachable(report: Report, rows: RowOutcomes, stopped: ImportStoppedError | None) -> bool:
    """Whether nothing was created, and nothing is wrong except that no request was sent."""
    if stopped is not None:
        cause = stopped.__cause__ and stopped.__cause__.__cause__
        if not isinstance(cause, TransportError):
            return False
    return 0 < report.failed == rows.unreachable and not report.new


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


@contextmanager
def _readable(file: Path) -> Generator[None, None, None]:
    """Explain why the file can't be read."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from None


@contextmanager
def _repeatable(names: Sequence[str]) -> Generator[None, None, None]:
    """Explain how to pass several columns if a missing one has a comma in its name."""
    try:
        yield
    except BulkError as error:
        if any("," in name and repr(name) in str(error) for name in names):
            error.args = (f"{error} For several columns, repeat the option.",)
        raise
