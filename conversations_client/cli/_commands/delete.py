"""`conversations delete`."""

import sys
from pathlib import Path
from typing import Annotated, Final

from attrs import define, field
from cyclopts import Parameter

from conversations_client import Client, ConversationsError
from conversations_client.cli._commands.delete_file import delete_file
from conversations_client.cli._display.output import confirm, print_error, print_message
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._option_names import describe
from conversations_client.cli._session import Injected

_LONGEST_NAME: Final = 100


def delete(
    conversation_ids: Annotated[tuple[str, ...], Parameter(show_default=False)] = (),
    /,
    *,
    file: Path | None = None,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    session: Injected,
) -> ExitCode:
    """Delete conversations for good.

    Args:
        conversation_ids: The ids, conv_….
        file: A file with one id per line, or JSON Lines or CSV with a field _id or id, such as an
            export or the results of an import.
        yes: Don't ask first.
        session: The common options and the output.
    """
    if not (conversation_ids or file):
        raise UsageError("Name what to delete: pass ids, or --file.")
    is_interactive = sys.stdin.isatty() and sys.stderr.isatty()
    if not (yes or is_interactive):
        raise UsageError("There is no terminal to ask for confirmation: pass --yes to delete.")
    if file is not None:
        return delete_file(file, conversation_ids, yes=yes, session=session)
    with session.client() as client:
        deletion = _Deletion(client, dict.fromkeys(conversation_ids, ""))
        if session.output.is_for_people or not yes:
            deletion.look_up_names()
        if not (yes or deletion.is_confirmed()):
            return max(deletion.worst, ExitCode.FAILED)
        deletion.run()
    if deletion.deleted or not session.output.is_for_people:
        session.output.several(deletion.deleted, deletion.view)
    return deletion.worst


@define
class _Deletion:
    client: Client
    names: dict[str, str]  # by id; empty where the name is unknown
    deleted: list[str] = field(factory=list[str])
    worst: ExitCode = ExitCode.DONE

    def look_up_names(self) -> None:
        """Find the names, and drop conversations that can't be deleted."""
        for conversation_id in list(self.names):
            try:
                found = self.client.conversations.retrieve(conversation_id)
                self.names[conversation_id] = one_line(found.display_name)
            except ConversationsError as error:
                # An unclear failure to read doesn't matter: deleting decides.
                if not error.may_have_acted:
                    del self.names[conversation_id]
                    self._report(conversation_id, error)

    def is_confirmed(self) -> bool:
        """Ask the person at the terminal; False if nothing is left to delete."""
        described = [self._described(conversation_id) for conversation_id in self.names]
        if len(described) > 1:
            print_message("\n".join(described))
            described = [f"these {len(described)} conversations"]
        return bool(described) and confirm(f"Delete {described[0]} for good?")

    def run(self) -> None:
        """Delete each; continue after one that could not be deleted."""
        for conversation_id in self.names:
            try:
                self.client.conversations.delete(conversation_id)
                self.deleted.append(conversation_id)
            except ConversationsError as error:
                self._report(conversation_id, error)
            except KeyboardInterrupt:
                print_message(f"Stopped. {len(self.deleted):,} of {len(self.names):,} are deleted.")
                raise

    def view(self, deleted: list[str], _now: float) -> str:
        """The deleted conversations, for people."""
        return "\n".join(f"Deleted {self._described(each)}" for each in deleted)

    def _described(self, conversation_id: str) -> str:
        name = self.names[conversation_id]
        if len(name) > _LONGEST_NAME:
            name = f"{name[: _LONGEST_NAME - 1]}…"
        return f"{one_line(conversation_id)}{f' “{name}”' if name else ''}"

    def _report(self, conversation_id: str, error: ConversationsError) -> None:
        print_error(f"{conversation_id}: {describe(error)}")
        self.worst = max(self.worst, exit_code(error))
