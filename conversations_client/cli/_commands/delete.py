"""`conversations delete`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from conversations_client import Client, ConversationsError
from conversations_client.cli._commands.delete_from_file import delete_file
from conversations_client.cli._commands.deletion_counts import (
    Deletion,
    check_confirmable,
    report_nothing_deleted,
)
from conversations_client.cli._commands.deletion_run import DeletionRun
from conversations_client.cli._commands.id_file import check_ids
from conversations_client.cli._display.output import confirm, print_message
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._exit_codes import ExitCode, UsageError
from conversations_client.cli._long_waits import asks_for_long_wait
from conversations_client.cli._retries import RetryOptions
from conversations_client.cli._session import Injected
from conversations_client.cli._signals import stopped_by_signals

_MAX_NAME_LENGTH: Final = 100
_POSITIVE: Final = Number(gt=0)


@stopped_by_signals()
def delete(
    conversation_ids: Annotated[tuple[str, ...], Parameter(show_default=False)] = (),
    /,
    *,
    file: Path | None = None,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    rate: Annotated[float | None, Parameter(validator=_POSITIVE)] = None,
    max_in_flight: Annotated[int, Parameter(validator=_POSITIVE)] = 16,
    retries: Annotated[RetryOptions, Parameter(name="*")] = RetryOptions(),  # noqa: B008 - frozen
    session: Injected,
) -> ExitCode:
    """Delete conversations permanently.

    Args:
        conversation_ids: The IDs, conv_….
        file: A file with one ID per line, or JSON Lines or CSV with an _id or id field, such as
            an export or the results of an import. A hyphen (-) reads stdin.
        yes: Delete without confirmation.
        rate: The maximum number of conversations per second; no limit by default.
        max_in_flight: With --file, the maximum number of conversations to delete at once. Without
            it, they are deleted one by one.
        retries: The options for throttled requests and other temporary failures.
        session: The common options and the output.
    """
    if not (conversation_ids or file):
        raise UsageError("Nothing to delete. Pass IDs, or a file of IDs with --file.")
    check_ids(conversation_ids)
    session = retries.applied(session)
    if file is not None:
        return delete_file(
            file,
            conversation_ids,
            yes=yes,
            rate=rate,
            max_in_flight=max_in_flight,
            session=session,
        )
    check_confirmable(yes=yes)
    names = dict.fromkeys(conversation_ids, "")
    deletion = Deletion()
    with session.client() as client:
        if session.output.is_for_people or not yes:
            names = _look_up_names(client, names, deletion)
        if names and not (yes or _is_confirmed(names)):
            return max(deletion.worst, report_nothing_deleted())
        DeletionRun(
            ids=names,
            deletion=deletion,
            output=session.output,
            describe=lambda each: f"Deleted {_described(each, names)}",
            rate=rate,
            max_in_flight=1,  # in the order of the arguments
        ).delete(client)
    return deletion.worst


def _look_up_names(client: Client, ids: Iterable[str], deletion: Deletion) -> dict[str, str]:
    """The name of each conversation, empty if unknown, except those that can't be deleted."""
    names: dict[str, str] = {}
    for conversation_id in ids:
        try:
            conversation = client.conversations.retrieve(conversation_id)
        except ConversationsError as error:
            if asks_for_long_wait(error, client.retry):
                raise
            if error.may_have_acted:  # the response was lost, but the deletion may work
                names[conversation_id] = ""
            else:
                deletion.record(conversation_id, error)
        else:
            names[conversation_id] = one_line(conversation.display_name)
    return names


def _is_confirmed(names: Mapping[str, str]) -> bool:
    """Ask the user at the terminal."""
    described = [_described(conversation_id, names) for conversation_id in names]
    if len(described) > 1:
        print_message("\n".join(described))
        described = [f"these {len(described)} conversations"]
    return confirm(f"Delete {described[0]} permanently?")


def _described(conversation_id: str, names: Mapping[str, str]) -> str:
    name = names[conversation_id]
    if len(name) > _MAX_NAME_LENGTH:
        name = f"{name[: _MAX_NAME_LENGTH - 1]}…"
    return f"{one_line(conversation_id)}{f' “{name}”' if name else ''}"
