"""`conversations delete --file`: deletes the conversations listed in a file."""

from collections.abc import Iterable
from pathlib import Path

from conversations_client.cli._commands.deletion_counts import (
    Deletion,
    check_confirmable,
    report_nothing_deleted,
)
from conversations_client.cli._commands.deletion_run import DeletionRun
from conversations_client.cli._commands.id_file import STDIN, ids_of
from conversations_client.cli._display.output import confirm, print_note
from conversations_client.cli._display.progress import progress_bar
from conversations_client.cli._exit_codes import ExitCode, UsageError
from conversations_client.cli._session import Session


def delete_file(
    file: Path,
    others: Iterable[str],
    *,
    yes: bool,
    rate: float | None,
    max_in_flight: int,
    session: Session,
) -> ExitCode:
    """Delete the conversations whose IDs are in a file, several at once.

    Args:
        file: The file, or `-` for stdin.
        others: More IDs to delete.
        yes: Whether to delete without confirmation.
        rate: The maximum number of conversations per second.
        max_in_flight: The maximum number of requests in flight.
        session: The common options and the output.
    """
    if file == STDIN and not yes:  # before waiting for its content
        raise UsageError("Stdin is used for the IDs, so it can't be used to confirm. Pass --yes.")
    named = dict.fromkeys(others)
    listed = dict.fromkeys(ids_of(file))
    ids = tuple(named | listed)
    check_confirmable(yes=yes)
    if not ids:
        print_note(f"There are no IDs in {'stdin' if file == STDIN else file}.")
    count = f"{len(ids):,} conversation{'s' * (len(ids) != 1)}"
    if ids and not (yes or confirm(f"Delete {count} permanently?")):
        return report_nothing_deleted()
    deletion = Deletion(may_be_missing=frozenset(listed.keys() - named))
    with session.client() as client, progress_bar(len(ids)) as bar:
        DeletionRun(
            ids=ids,
            deletion=deletion,
            output=session.output,
            rate=rate,
            max_in_flight=max_in_flight,
            on_outcome=bar.advance,
            on_end=bar.stop,
        ).delete(client)
    if session.output.is_for_people:
        session.output.out.print(f"Deleted {len(deletion.deleted):,} of {count}.", soft_wrap=True)
    return deletion.end()
