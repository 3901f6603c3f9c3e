"""The files that an import writes."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from conversations_client.bulk import BulkError, Journal, write_results
from conversations_client.cli._display.output import print_error
from conversations_client.cli._exit_codes import UsageError
from conversations_client.cli._imports.doubtful_rows import with_advice
from conversations_client.cli._open_files import check_not_open


@frozen
class ImportFiles:
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
        if _has_content(self.results) and not _has_content(self.journal):
            raise UsageError(
                f"{self.results} has the results of an earlier import, but the journal "
                f"{self.journal} is missing or empty. To continue that import, pass its journal "
                "with --journal. To import every row again, pass a new file with --results."
            )

    @contextmanager
    def open_journal(self) -> Generator[Journal, None, None]:
        """The journal, which is open in the block.

        A new journal is removed if the block fails before a row is recorded.
        """
        is_new, is_unused = not os.path.exists(self.journal), False  # noqa: PTH110 - as below
        try:
            with Journal(self.journal) as record:
                try:
                    yield record
                except BaseException:
                    with suppress(BulkError):
                        is_unused = is_new and not any(record.counts().values())
                    raise
        finally:
            if is_unused:
                _remove(self.journal)

    def check_results(self, record: Journal) -> None:
        """Before anything is sent, write the results so far to check that they can be written.

        A pipe or device is not checked, because its reader would get these results twice. A new,
        empty file is removed again.
        """
        try:
            if _is_stream(self.results):
                return
            is_new = not self.results.exists()
            self._write_results(record)
            if is_new and not _has_content(self.results):
                _remove(self.results)
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
    # Unlike Path, os.path ignores errors such as a name that is too long, which are reported when
    # the file is opened.
    return os.path.isfile(path) and path.stat().st_size > 0  # noqa: PTH113


def _remove(path: Path) -> None:
    Path(os.path.realpath(path)).unlink(missing_ok=True)


def _is_stream(path: Path) -> bool:
    """Whether a path is a pipe or device, which can't be written twice."""
    return path.exists() and not (path.is_file() or path.is_dir())
