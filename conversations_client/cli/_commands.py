"""The commands on conversations."""

import sys
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

from attrs import define, field
from cyclopts import Group, Parameter
from cyclopts.validators import Number, mutually_exclusive

from conversations_client import UNSET, Client, ConversationMetadataParam, ConversationsError
from conversations_client._standard_streams import output_failure, output_is_lost
from conversations_client.cli._delete_file import delete_file
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._option_names import describe
from conversations_client.cli._output import confirm, print_error, print_message
from conversations_client.cli._printable import one_line
from conversations_client.cli._selection import LARGEST_PAGE, selection
from conversations_client.cli._session import Injected
from conversations_client.cli._views import (
    NO_ID,
    conversation_and_messages,
    conversation_panel,
    conversation_table,
)

_LONGEST_NAME: Final = 100

_HOW_MANY: Final = Group(show=False, validator=mutually_exclusive)
_PARAMETERS: Final = Group.create_default_parameters()


def create(
    name: str | None = None,
    /,
    *,
    entity_id: str | None = None,
    model: str | None = None,
    session: Injected,
) -> None:
    """Create a conversation.

    Args:
        name: The display name, at most 100 characters; default: "Untitled".
        entity_id: The agent or deployment that the conversation belongs to.
        model: The model of the conversation, as provider/model_id.
        session: The common options and the output.
    """
    metadata = ConversationMetadataParam()
    if entity_id is not None:
        metadata["entity_id"] = entity_id
    if model is not None:
        metadata["model"] = model
    with session.client() as client:
        conversation = client.conversations.create(
            display_name=UNSET if name is None else name, metadata=metadata or UNSET
        )
    session.output.one(conversation, conversation_panel)
    if output_failure():
        print_message(f"Created {one_line(conversation.id or NO_ID)}.")


def list_(
    *,
    limit: Annotated[int, Parameter(group=(_PARAMETERS, _HOW_MANY), validator=Number(gte=1))] = 20,
    all_: Annotated[
        bool,
        Parameter(name="--all", negative="", show_default=False, group=(_PARAMETERS, _HOW_MANY)),
    ] = False,
    entity_id: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    standalone: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Injected,
) -> None:
    """List conversations, newest first.

    By default these are the standalone conversations. The API can't list all conversations at
    once, so name each agent and deployment with --entity-id.

    Args:
        limit: The most conversations to list, over as many pages as necessary.
        all_: List all of the selected conversations.
        entity_id: An agent or deployment whose conversations to list; repeat it for others.
        standalone: With --entity-id: list the standalone conversations too.
        session: The common options and the output.
    """
    wanted = selection(entity_id, standalone=standalone)
    with session.client() as client:
        listing = wanted.listing(client, limit=LARGEST_PAGE if all_ else min(limit, LARGEST_PAGE))
        session.output.several(islice(listing, None if all_ else limit), conversation_table)
    if all_ and not output_is_lost():
        wanted.report_left_out()


def show(conversation_id: str, /, *, session: Injected) -> None:
    """Show a conversation and its messages.

    Args:
        conversation_id: The id, conv_….
        session: The common options and the output.
    """
    with session.client() as client:
        conversation = client.conversations.retrieve(conversation_id)
    session.output.one(conversation, conversation_and_messages)


def rename(conversation_id: str, name: str, /, *, session: Injected) -> None:
    """Rename a conversation.

    Args:
        conversation_id: The id, conv_….
        name: The new name, at most 100 characters.
        session: The common options and the output.
    """
    with session.client() as client:
        conversation = client.conversations.update(conversation_id, display_name=name)
    session.output.one(conversation, conversation_panel)


def name(conversation_id: str, /, *, context: str, session: Injected) -> None:
    """Let the service generate a name for a conversation that has none.

    Args:
        conversation_id: The id, conv_….
        context: What the conversation is about.
        session: The common options and the output.
    """
    with session.client() as client:
        conversation = client.conversations.generate_name(conversation_id, context=context)
    session.output.one(conversation, conversation_panel)


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
        """Delete each; go on after one that could not be deleted."""
        for conversation_id in self.names:
            try:
                self.client.conversations.delete(conversation_id)
                self.deleted.append(conversation_id)
            except ConversationsError as error:
                self._report(conversation_id, error)

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
