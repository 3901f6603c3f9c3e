"""`conversations import`."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from attrs import asdict, frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from conversations_client import Retry
from conversations_client.bulk import (
    Entry,
    Journal,
    Report,
    State,
    count_rows,
    import_file,
    write_results,
)
from conversations_client.cli._exit_codes import ExitCode, UsageError
from conversations_client.cli._output import Output, new_console
from conversations_client.cli._printable import one_line
from conversations_client.cli._progress import progress_bar
from conversations_client.cli._session import Injected

_ABOVE_0 = Number(gt=0)


def import_(
    file: Path,
    /,
    *,
    rate: Annotated[float | None, Parameter(validator=_ABOVE_0)] = None,
    max_in_flight: Annotated[int, Parameter(validator=_ABOVE_0)] = 16,
    trust_idempotency_keys: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    journal: Path | None = None,
    session: Injected,
) -> ExitCode:
    """Create the conversations of a file; the same command again goes on where it ended.

    Args:
        file: JSON Lines, CSV or Parquet, by the end of its name.
        rate: How many are created in a second at most; no limit if left out.
        max_in_flight: How many are created at once.
        trust_idempotency_keys: The service creates nothing twice under the same Idempotency-Key, so
            that what may have been created is sent again; left out, it is listed.
        journal: What is known of each row; FILE.journal if left out.
        session: What it is run with.
    """
    results, place = _beside(file, "results.jsonl"), journal or _beside(file, "journal")
    total = _count(file)
    _check_journal(place, results)
    troubles: list[Entry] = []
    retry = Retry(trust_idempotency_key=trust_idempotency_keys)
    with session.client(retry=retry) as client, Journal(place) as kept:
        try:
            with progress_bar(total) as bar, _told_if_stopped(results):
                report = import_file(
                    client,
                    file,
                    kept,
                    max_in_flight=max_in_flight,
                    rate=rate,
                    on_row=_Told(bar.advance, troubles),
                )
        finally:
            write_results(kept.entries(), results)
    _show(report, troubles, results, session.output)
    if report.doubtful:
        return ExitCode.UNKNOWN
    return ExitCode.FAILED if report.failed else ExitCode.DONE


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")


def _count(file: Path) -> int:
    try:
        return count_rows(file)
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}.") from None


def _check_journal(journal: Path, results: Path) -> None:
    """Refuse to create once more what an import has created whose journal is gone."""
    if results.exists() and not journal.exists():
        raise UsageError(
            f"{results} tells of an import whose journal is not {journal}: name it with --journal, "
            "or move the results away to create every row once more."
        )


@frozen
class _Told:
    """Passes every row on, and keeps the first that was not created."""

    advance: Callable[[Entry], object]
    troubles: list[Entry]

    def __call__(self, entry: Entry) -> None:
        if not self.troubles and entry.state is not State.CREATED:
            self.troubles.append(entry)
        self.advance(entry)


@contextmanager
def _told_if_stopped(results: Path) -> Generator[None, None, None]:
    try:
        yield
    except KeyboardInterrupt:
        words = f"Stopped; the same command goes on. {one_line(str(results))} has each row so far."
        new_console(stderr=True).print(words, soft_wrap=True)
        raise


def _show(report: Report, troubles: list[Entry], results: Path, output: Output) -> None:
    if not output.is_for_people:
        output.json({**asdict(report), "results": str(results)})
        return
    output.out.print(
        f"{report.created:,} created, {report.failed:,} failed, {report.doubtful:,} doubtful: "
        f"{one_line(str(results))} has each row.",
        soft_wrap=True,
    )
    for entry in troubles:
        output.out.print(f"Row {entry.number:,}: {one_line(entry.detail)}", soft_wrap=True)
