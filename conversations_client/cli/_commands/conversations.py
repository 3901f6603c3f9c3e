"""The commands `create`, `list`, `show`, `rename`, `update` and `name`."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Annotated, Final

from cyclopts import Group, Parameter
from cyclopts.validators import Number, mutually_exclusive
from rich.console import RenderableType

from conversations_client import (
    UNSET,
    Conversation,
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
    ConversationsError,
)
from conversations_client._standard_streams import output_failure, output_is_lost
from conversations_client.cli._commands.selection import MAX_PAGE_SIZE, selection
from conversations_client.cli._display.output import print_message, print_note
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._display.views import (
    NO_ID,
    conversation_and_messages,
    conversation_panel,
    conversation_table,
)
from conversations_client.cli._exit_codes import UsageError
from conversations_client.cli._session import Injected

_LIMITS: Final = Number(gte=1, lte=1_000_000_000)
_COUNT: Final = Group(show=False, validator=mutually_exclusive)
_ENTITY: Final = Group(show=False, validator=mutually_exclusive)
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
        model: The model of the conversation, such as openai/gpt-4o. Its form isn't checked.
        session: The common options and the output.
    """
    metadata = ConversationMetadataParam()
    if entity_id is not None:
        metadata["entity_id"] = entity_id
    if model is not None:
        metadata["model"] = model
    with session.changing_client() as client:
        conversation = client.conversations.create(
            display_name=UNSET if name is None else name, metadata=metadata or UNSET
        )
    session.output.one(conversation, conversation_panel)
    if output_failure():
        print_message(f"Created {one_line(conversation.id or NO_ID)}.")


def list_(
    *,
    limit: Annotated[int, Parameter(group=(_PARAMETERS, _COUNT), validator=_LIMITS)] = 20,
    all_: Annotated[
        bool,
        Parameter(name="--all", negative="", show_default=False, group=(_PARAMETERS, _COUNT)),
    ] = False,
    entity_id: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    standalone: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    session: Injected,
) -> None:
    """List conversations, newest first, even from several agents and deployments.

    By default, only standalone conversations are listed. The API can't list all conversations at
    once, so pass each agent and deployment with --entity-id.

    Args:
        limit: The maximum number of conversations to list in total, from as many pages as
            necessary.
        all_: List all of the selected conversations.
        entity_id: List the conversations of this agent or deployment; can be repeated.
        standalone: With --entity-id: list the standalone conversations too.
        session: The common options and the output.
    """
    selected = selection(entity_id, standalone=standalone)

    def view(conversations: Sequence[Conversation], now: float) -> RenderableType:
        if entity_id and not conversations:
            return "No conversations. Check the IDs that you passed with --entity-id."
        return conversation_table(conversations, now)

    with session.client() as client:
        # One more than the limit shows whether there are more.
        page_size = MAX_PAGE_SIZE if all_ else min(limit + 1, MAX_PAGE_SIZE)
        listing = selected.newest_first(client, page_size=page_size)
        session.output.several(islice(listing, None if all_ else limit), view)
        if output_is_lost():
            return
        # At the end of a full page, this would send another request.
        if limit % MAX_PAGE_SIZE and _has_more(listing):
            print_note("There are more conversations. List them with --limit or --all.")
    if all_ or (session.output.is_for_people and not entity_id):
        selected.report_left_out()
    selected.report_others()


def _has_more(listing: Iterator[Conversation]) -> bool:
    """Whether there are more conversations, as far as the service tells."""
    following = None
    with suppress(ConversationsError):
        following = next(listing, None)
    return following is not None


def show(conversation_id: str, /, *, session: Injected) -> None:
    """Show a conversation and its messages.

    Args:
        conversation_id: The ID, conv_….
        session: The common options and the output.
    """
    with session.client() as client:
        conversation = client.conversations.retrieve(conversation_id)
    session.output.one(conversation, conversation_and_messages)


def rename(conversation_id: str, name: str, /, *, session: Injected) -> None:
    """Rename a conversation.

    Args:
        conversation_id: The ID, conv_….
        name: The new name, at most 100 characters.
        session: The common options and the output.
    """
    with session.changing_client() as client:
        conversation = client.conversations.update(conversation_id, display_name=name)
    session.output.one(conversation, conversation_panel)


def update(
    conversation_id: str,
    /,
    *,
    name: str | None = None,
    entity_id: Annotated[str | None, Parameter(group=(_PARAMETERS, _ENTITY))] = None,
    standalone: Annotated[
        bool, Parameter(negative="", show_default=False, group=(_PARAMETERS, _ENTITY))
    ] = False,
    generating_title: Annotated[
        bool | None, Parameter(negative="--no-generating-title", show_default=False)
    ] = None,
    session: Injected,
) -> None:
    """Change a conversation. Omitted options leave their values unchanged.

    Args:
        conversation_id: The ID, conv_….
        name: The new name, at most 100 characters.
        entity_id: The agent or deployment that the conversation belongs to.
        standalone: Remove the conversation from its agent or deployment.
        generating_title: Whether the service should generate the name.
        session: The common options and the output.
    """
    metadata = ConversationMetadataUpdateParam()
    if entity_id is not None or standalone:
        metadata["entity_id"] = entity_id
    if generating_title is not None:
        metadata["generating_title"] = generating_title
    if name is None and not metadata:
        raise UsageError(
            "Nothing to change. Pass --name, --entity-id, --standalone or --generating-title."
        )
    with session.changing_client() as client:
        conversation = client.conversations.update(
            conversation_id,
            display_name=UNSET if name is None else name,
            metadata=metadata or UNSET,
        )
    session.output.one(conversation, conversation_panel)


def name(conversation_id: str, /, *, context: str, session: Injected) -> None:
    """Generate a name for a conversation that was created without one.

    The service rejects the call if the conversation has a name. In the sandbox, an empty name
    counts as a name.

    Args:
        conversation_id: The ID, conv_….
        context: The topic of the conversation.
        session: The common options and the output.
    """
    with session.changing_client() as client:
        conversation = client.conversations.generate_name(conversation_id, context=context)
    session.output.one(conversation, conversation_panel)
