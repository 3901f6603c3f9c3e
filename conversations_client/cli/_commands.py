"""The commands on conversations."""

import sys
from itertools import islice
from typing import Annotated, Final

from cyclopts import Group, Parameter
from cyclopts.validators import Number, mutually_exclusive
from rich.prompt import Confirm

from conversations_client import UNSET, ConversationMetadataParam, ConversationsError
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._output import new_console, print_error
from conversations_client.cli._printable import printable
from conversations_client.cli._session import Injected
from conversations_client.cli._views import (
    conversation_and_messages,
    conversation_panel,
    conversation_table,
)
from conversations_client.cli._words import in_words

LARGEST_PAGE: Final = 100

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
        name: What people see it as, at most 100 characters; "Untitled" if left out.
        entity_id: The agent or deployment that it belongs to.
        model: The model that it is held with, as provider/model_id.
        session: What it is run with.
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


def list_(
    *,
    limit: Annotated[int, Parameter(group=(_PARAMETERS, _HOW_MANY), validator=Number(gte=1))] = 20,
    all_: Annotated[
        bool,
        Parameter(name="--all", negative="", show_default=False, group=(_PARAMETERS, _HOW_MANY)),
    ] = False,
    entity_id: str | None = None,
    session: Injected,
) -> None:
    """List conversations, newest first.

    Args:
        limit: How many in all, over as many pages as that takes.
        all_: Every conversation there is.
        entity_id: Those of an agent or deployment; left out, those that stand alone.
        session: What it is run with.
    """
    with session.client() as client:
        listing = client.conversations.list(
            limit=LARGEST_PAGE if all_ else min(limit, LARGEST_PAGE), entity_id=entity_id
        )
        session.output.several(islice(listing, None if all_ else limit), conversation_table)


def show(conversation_id: str, /, *, session: Injected) -> None:
    """Show a conversation and what was said in it.

    Args:
        conversation_id: Its id, conv_….
        session: What it is run with.
    """
    with session.client() as client:
        conversation = client.conversations.retrieve(conversation_id)
    session.output.one(conversation, conversation_and_messages)


def rename(conversation_id: str, name: str, /, *, session: Injected) -> None:
    """Give a conversation another name.

    Args:
        conversation_id: Its id, conv_….
        name: The new name, at most 100 characters.
        session: What it is run with.
    """
    with session.client() as client:
        conversation = client.conversations.update(conversation_id, display_name=name)
    session.output.one(conversation, conversation_panel)


def name(conversation_id: str, /, *, context: str, session: Injected) -> None:
    """Have the service name a conversation that has no name yet.

    Args:
        conversation_id: Its id, conv_….
        context: What the conversation is about.
        session: What it is run with.
    """
    with session.client() as client:
        conversation = client.conversations.generate_name(conversation_id, context=context)
    session.output.one(conversation, conversation_panel)


def delete(
    conversation_ids: Annotated[tuple[str, ...], Parameter(required=True)],
    /,
    *,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="", show_default=False)] = False,
    session: Injected,
) -> ExitCode:
    """Delete conversations, for good.

    Args:
        conversation_ids: Their ids, conv_….
        yes: Don't ask first.
        session: What it is run with.
    """
    if not (yes or _confirmed(len(conversation_ids))):
        return ExitCode.FAILED
    deleted: list[str] = []
    worst = ExitCode.DONE
    with session.client() as client:
        for conversation_id in conversation_ids:
            try:
                client.conversations.delete(conversation_id)
                deleted.append(conversation_id)
            except ConversationsError as error:
                print_error(f"{conversation_id}: {in_words(error)}")
                worst = max(worst, exit_code(error))
    session.output.several(deleted, _deleted)
    return worst


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here whether to delete: say it with --yes.")
    what = "this conversation" if count == 1 else f"these {count} conversations"
    return Confirm.ask(f"Delete {what} for good?", console=new_console(stderr=True), default=False)


def _deleted(ids: list[str], _now: float) -> str:
    return printable("\n".join(f"Deleted {conversation_id}" for conversation_id in ids))
