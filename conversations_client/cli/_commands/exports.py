"""`conversations export`."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from errno import EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import Annotated, Final

from attrs import asdict, evolve, frozen
from attrs.filters import exclude
from cyclopts import Parameter
from cyclopts.validators import Number

from conversations_client import ConversationsError
from conversations_client._standard_streams import output_is_lost
from conversations_client.bulk import (
    ExportReport,
    export_file,
    export_with_messages,
)
from conversations_client.cli._commands.selection import Selection, selection
from conversations_client.cli._display.output import (
    Format,
    Output,
    print_error,
    print_message,
)
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._display.progress import progress_bar
from conversations_client.cli._display.views import conversation_table
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._open_files import check_not_open
from conversations_client.cli._option_names import describe_row
from conversations_client.cli._retries import RetryOptions
from conversations_client.cli._session import Injected, Session
from conversations_client.cli._signals import (
    before_forced_end,
    stopped_by_signals,
    waiting_for_requests,
)

OnProgress = Callable[[int, int | None], object]

_POSITIVE: Final = Number(gt=0)
_MAX_IN_FLIGHT: Final = 16
_SHOWN_FAILURES: Final = 10
_WRONG_LOCATION: Final = {EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS}

_STDOUT: Final = Path("-")
_PLAIN: Final = Parameter(negative="", show_default=False)


@frozen(kw_only=True)
class MessageOptions:
    """Options for an export with messages."""

    messages: Annotated[bool, _PLAIN] = False
    """Also write the messages of each conversation, to JSON Lines or Parquet. To resume an export
    that was stopped, run the same command again."""
    rate: Annotated[float | None, Parameter(validator=_POSITIVE)] = None
    """With --messages: maximum number of conversations to retrieve per second; no limit by
    default."""
    max_in_flight: Annotated[int | None, Parameter(validator=_POSITIVE)] = None
    """With --messages: maximum number of conversations to retrieve at once; 16 by default."""
    skip_failed: Annotated[bool, _PLAIN] = False
    """With --messages: write the file without the conversations that can't be retrieved."""
    journal: Path | None = None
    """With --messages: where to store the state of the export; default: FILE.export."""

    def check(self) -> None:
        """Raise UsageError for an option that requires --messages, if --messages is absent."""
        used = {
            "--rate": self.rate is not None,
            "--max-in-flight": self.max_in_flight is not None,
            "--skip-failed": self.skip_failed,
            "--journal": self.journal is not None,
        }
        if not self.messages and any(used.values()):
            name = next(name for name, is_used in used.items() if is_used)
            raise UsageError(f"{name} works only with --messages. Add --messages or remove {name}.")


@stopped_by_signals()
def export(
    file: Path,
    /,
    *,
    entity_id: Annotated[tuple[str, ...], _PLAIN] = (),
    standalone: Annotated[bool, _PLAIN] = False,
    escape_formulas: Annotated[bool, _PLAIN] = False,
    with_messages: Annotated[MessageOptions, Parameter(name="*")] = MessageOptions(),
    retries: Annotated[RetryOptions, Parameter(name="*")] = RetryOptions(),  # noqa: B008 - frozen
    session: Injected,
) -> ExitCode:
    """Write conversations to a file.

    By default, only standalone conversations are written. The API can't list all conversations
    at once, so pass each agent and deployment with --entity-id.

    Args:
        file: JSON Lines, CSV or Parquet, according to its extension; an existing file is replaced.
            A hyphen (-) writes JSON Lines to stdout.
        entity_id: Write the conversations of this agent or deployment; can be repeated.
        standalone: With --entity-id: write the standalone conversations too.
        escape_formulas: In a CSV file for a spreadsheet, put an apostrophe before text that starts
            with =, +, -, @, a tab or a carriage return. An import removes it.
        with_messages: The options of an export with messages.
        retries: The options for throttled requests and other temporary failures.
        session: The common options and the output.
    """
    with_messages.check()
    session = retries.applied(session)
    wanted = selection(entity_id, standalone=standalone)
    if file == _STDOUT:
        return _to_stdout(wanted, session, with_messages, escape_formulas=escape_formulas)
    check_not_open(file, "FILE")
    if with_messages.journal is not None:
        check_not_open(with_messages.journal, "--journal")
    with _plain_errors(file):
        if not with_messages.messages:
            report = _without_messages(file, wanted, session, escape_formulas=escape_formulas)
        elif escape_formulas:
            raise UsageError("--escape-formulas is for CSV, which can't store messages.")
        else:
            report = _with_messages(file, wanted, session, with_messages)
    if session.output.is_for_people:
        _show(report, file, session.output)
    else:
        counts = _counts(report) if with_messages.messages else {"exported": report.exported}
        session.output.json({**counts, "file": str(file), **wanted.summary()})
    for problem in _problems(report, file):
        print_message(problem)
    wanted.report_left_out()
    wanted.report_others()
    return ExitCode.DONE if report.is_written else ExitCode.FAILED


def _to_stdout(
    wanted: Selection, session: Session, options: MessageOptions, *, escape_formulas: bool
) -> ExitCode:
    """Write each conversation as a line of JSON as it arrives."""
    if options.messages or escape_formulas:
        raise UsageError(
            "An export to stdout is JSON Lines without messages. For --messages and "
            "--escape-formulas, pass a file."
        )
    if session.options.json:
        raise UsageError("An export to stdout is JSON Lines. Remove --json, or pass a file.")
    with session.client() as client:
        Output(Format.JSONL).several(wanted.one_after_another(client), conversation_table)
    if not output_is_lost():
        wanted.report_left_out()
        wanted.report_others()
    return ExitCode.DONE


def _without_messages(
    file: Path, wanted: Selection, session: Session, *, escape_formulas: bool
) -> ExportReport:
    with session.client() as client, _repeatable(file), progress_bar(None) as bar:
        count = export_file(
            wanted.one_after_another(client),
            file,
            escape_formulas=escape_formulas,
            on_row=bar.advance,
        )
    return ExportReport(
        exported=count, deleted=0, failed=0, without_messages=0, failures=(), is_written=True
    )


def _with_messages(
    file: Path, wanted: Selection, session: Session, options: MessageOptions
) -> ExportReport:
    max_in_flight = options.max_in_flight or _MAX_IN_FLIGHT
    with (
        session.target() as target,
        target.client() as client,
        _resumable(),
        progress_bar(None) as bar,
        _announced(bar.update, max_in_flight) as on_progress,
    ):
        report = export_with_messages(
            client,
            file,
            entity_ids=wanted.entity_ids,
            journal=options.journal,
            max_in_flight=max_in_flight,
            rate=options.rate,
            skip_failed=options.skip_failed,
            source=target.name,
            on_progress=on_progress,
        )
    failures = tuple(evolve(each, error=describe_row(each.error)) for each in report.failures)
    for failure in failures[:_SHOWN_FAILURES]:
        print_error(f"{failure.conversation_id or '(no ID)'}: {failure.error}")
    wanted.includes_others = report.includes_others
    return evolve(report, failures=failures)


def _counts(report: ExportReport) -> dict[str, object]:
    return asdict(report, filter=exclude("includes_others"))


def _show(report: ExportReport, file: Path, output: Output) -> None:
    if report.is_written:
        name = one_line(str(file))
        output.out.print(f"Exported {_conversations(report.exported)} to {name}.", soft_wrap=True)


def _problems(report: ExportReport, file: Path) -> Iterator[str]:
    if report.deleted:
        one = report.deleted == 1
        were, they_were, are = ("was", "it was", "is") if one else ("were", "they were", "are")
        yield (
            f"{_conversations(report.deleted)} {were} deleted after {they_were} listed and {are} "
            "not in the file."
        )
    if report.without_messages:
        yield f"The service sent no messages for {_conversations(report.without_messages)}."
    failed = f"{_conversations(report.failed)} could not be retrieved"
    are, them = ("is", "it") if report.failed == 1 else ("are", "them")
    if report.failed and report.is_written:
        yield f"{failed} and {are} not in the file."
    elif report.failed:
        yield (
            f"{failed}, so {file} was not written. Run the same command again to retry {them}; "
            f"--skip-failed writes the file without {them}."
        )


def _conversations(count: int) -> str:
    return f"{count:,} conversation{'s' * (count != 1)}"


@contextmanager
def _announced(update: OnProgress, max_in_flight: int) -> Generator[OnProgress, None, None]:
    """Show the progress; the first signal prints the number of requests in flight."""
    left = 0  # to retrieve

    def on_progress(done: int, total: int | None) -> None:
        nonlocal left
        left = 0 if total is None else total - done
        update(done, total)

    with waiting_for_requests(lambda: min(left, max_in_flight), prefix="up to "):
        yield on_progress


@contextmanager
def _resumable() -> Generator[None, None, None]:
    """Print that a stopped export can be resumed."""
    with before_forced_end(_print_resumable):
        try:
            yield
        except (KeyboardInterrupt, ConversationsError, OSError) as error:
            if not _is_wrong_usage(error):
                _print_resumable()
            raise


def _is_wrong_usage(error: BaseException) -> bool:
    """Whether the same command would fail again."""
    if isinstance(error, ConversationsError):
        return exit_code(error) is ExitCode.USAGE
    return isinstance(error, OSError) and error.errno in _WRONG_LOCATION


def _print_resumable() -> None:
    print_message("Stopped. Run the same command again to resume the export.")


@contextmanager
def _repeatable(file: Path) -> Generator[None, None, None]:
    """Print that a stopped export without messages must start over."""
    try:
        yield
    except KeyboardInterrupt:
        print_message(
            f"Stopped before {file} was complete. Run the same command to export everything again."
        )
        raise


@contextmanager
def _plain_errors(file: Path) -> Generator[None, None, None]:
    """Describe operating system errors that concern a file."""
    try:
        yield
    except ConversationsError:  # a broken connection is an OSError too
        raise
    except FileNotFoundError:
        if file.parent.is_dir():
            raise UsageError(
                f"{file} can't be written: new files can't be created in {file.parent}."
            ) from None
        raise UsageError(
            f"{file} can't be written: the folder {file.parent} doesn't exist."
        ) from None
    except OSError as error:
        problem = f"{file} can't be written: {error.strerror or error}."
        if error.errno in _WRONG_LOCATION:
            raise UsageError(problem) from None
        raise OSError(problem) from None
