"""Counts the deletions of a command and prints its errors."""

import sys
from typing import Final

from attrs import define, field

from conversations_client import ConversationsError, NotFoundError
from conversations_client.cli._display.output import print_error, print_message, print_note
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._option_names import describe, setting_name

_SHOWN_FAILURES: Final = 10


@define
class Deletion:
    """The results of a deletion.

    Attributes:
        deleted: The IDs of the deleted conversations.
        failures: The number of conversations that could not be deleted.
        codes: The exit codes of the failures, and of the throttling that stopped the command.
        may_be_missing: The IDs of conversations that an earlier run may have deleted, so that a
            missing one isn't a failure.
        missing: The number of conversations that were missing, if that isn't a failure.
        may_have_deleted: Whether this run may have deleted some of the missing conversations.
    """

    deleted: list[str] = field(factory=list[str])
    failures: int = 0
    codes: set[ExitCode] = field(factory=set[ExitCode])
    may_be_missing: frozenset[str] = frozenset()
    missing: int = 0
    may_have_deleted: bool = False

    @property
    def worst(self) -> ExitCode:
        """The exit code of the worst failure.

        UNREACHABLE promises that nothing was done, and that nothing else is wrong.
        """
        worst = max(self.codes, default=ExitCode.DONE)
        if worst is ExitCode.UNREACHABLE and (self.deleted or len(self.codes) > 1):
            return ExitCode.FAILED
        return worst

    def end(self) -> ExitCode:
        """Report what was missing; returns the exit code of the command."""
        if self.missing and not (self.deleted or self.codes or self.may_have_deleted):
            print_error(
                f"None of the {self.missing:,} conversations exist: they were already deleted, or "
                f"the file, the API key or {setting_name('base_url')} is wrong."
                if self.missing > 1
                else "The conversation doesn't exist: it was already deleted, or the file, the API "
                f"key or {setting_name('base_url')} is wrong."
            )
            return ExitCode.NOT_FOUND
        if self.missing:
            were = "was" if self.missing == 1 else "were"
            print_note(f"{self.missing:,} {were} already gone.")
        return self.worst

    def report_failures(self) -> None:
        """Print how many deletions failed, if not every error was printed."""
        if self.failures > _SHOWN_FAILURES:
            print_error(
                f"{self.failures:,} conversations could not be deleted; the first errors are above."
            )

    def record(self, conversation_id: str | None, error: ConversationsError | None) -> None:
        """Count an attempt and print its error."""
        if error is None:
            self.deleted.append(str(conversation_id))
            return
        is_missing = isinstance(error, NotFoundError)
        if is_missing and conversation_id in self.may_be_missing:
            self.missing += 1
            self.may_have_deleted |= error.may_have_acted
            return
        self.failures += 1
        self.codes.add(exit_code(error))
        if self.failures <= _SHOWN_FAILURES:
            problem = _describe_missing(error) if is_missing else describe(error)
            print_error(f"{conversation_id}: {problem}")


def _describe_missing(error: ConversationsError) -> str:
    if error.may_have_acted:
        return "not found; an earlier attempt of this command may have deleted it"
    return "not found"


def check_confirmable(*, yes: bool) -> None:
    """Raise UsageError if the user must confirm but can't."""
    if not (yes or (sys.stdin.isatty() and sys.stderr.isatty())):
        raise UsageError(
            "Confirmation requires a terminal. To delete without confirmation, pass --yes."
        )


def report_nothing_deleted() -> ExitCode:
    """Print that nothing was deleted; returns the exit code."""
    print_message("Nothing was deleted.")
    return ExitCode.FAILED
