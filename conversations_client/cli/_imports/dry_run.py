"""A dry run: an import with a stand-in for the service and a copy of the journal."""

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx
from attrs import evolve

from conversations_client import Client, ConversationsError
from conversations_client.bulk import Journal, Report
from conversations_client.cli._display.output import Output, print_error, print_note
from conversations_client.cli._display.progress import progress_bar
from conversations_client.cli._exit_codes import ExitCode
from conversations_client.cli._imports.report import RowOutcomes, print_json
from conversations_client.cli._session import Session, Target

_CREATED: Final = {"kind": "conversation", "displayName": "", "createdAt": 0, "updatedAt": 0}


def dry_run(
    import_all: Callable[..., Report], file: Path, journal: Path, session: Session, *, total: int
) -> ExitCode:
    """Report what an import would create.

    Args:
        import_all: `import_file` with the options of the import.
        file: The file.
        journal: The journal of the import, which may exist; it is not changed.
        session: The common options and the output.
        total: The number of rows.
    """
    with (
        session.target() as target,
        _stand_in(target) as client,
        _copy_of(journal) as copy,
        progress_bar(total) as bar,
    ):
        rows = RowOutcomes(bar.advance)
        report = import_all(client, file, copy, destination=target.name, on_row=rows)
    _show(report, session.output)
    for line in rows.lines():
        print_error(line)
    print_note("This was a dry run: nothing was sent, and no file was written.")
    if report.doubtful:
        return ExitCode.UNKNOWN
    return ExitCode.FAILED if report.failed else ExitCode.DONE


@contextmanager
def _stand_in(target: Target) -> Generator[Client, None, None]:
    """A client with the same settings that sends nothing: every response is created here."""
    transport = httpx.MockTransport(lambda _: httpx.Response(201, json=_CREATED))
    with (
        httpx.Client(transport=transport) as http_client,
        evolve(target, http_client=http_client).client() as client,
    ):
        yield client


@contextmanager
def _copy_of(journal: Path) -> Generator[Journal, None, None]:
    """A copy of the journal, or a new one, which is removed after the block."""
    with TemporaryDirectory() as folder:
        copy = Path(folder, "copy", journal.name)
        # The same errors as without a dry run, if the folder is missing or the journal is a folder.
        if journal.parent.is_dir():
            copy.parent.mkdir()
        if os.path.isdir(journal):  # noqa: PTH112 - unlike Path, accepts a name that is too long
            copy.mkdir()
        for each in (journal, journal.with_name(f"{journal.name}-wal")):
            if os.path.isfile(each):  # noqa: PTH113 - as above
                shutil.copyfile(each, copy.with_name(each.name))
        with _errors_about(journal, copy), Journal(copy) as record:
            yield record


@contextmanager
def _errors_about(journal: Path, copy: Path) -> Generator[None, None, None]:
    """Name the journal, instead of its copy, in the error messages."""
    try:
        yield
    except ConversationsError as error:
        is_full = isinstance(error.__cause__, OSError) and error.__cause__.errno == ENOSPC
        name = f"{journal} (its copy in the folder for temporary files)" if is_full else journal
        message = str(error).replace(str(copy), str(name))
        error.args = (message.replace(str(copy.parent), str(journal.parent)),)
        raise


def _show(report: Report, output: Output) -> None:
    if not output.is_for_people:
        print_json(report, None, output)
        return
    before = f"{report.created_before:,} already created, " if report.created_before else ""
    output.out.print(
        f"{report.new:,} to create, {before}{report.failed:,} invalid, {report.doubtful:,} "
        "doubtful.",
        soft_wrap=True,
    )
