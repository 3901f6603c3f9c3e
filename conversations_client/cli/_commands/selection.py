"""The conversations that a command includes and leaves out."""

from collections.abc import Iterable, Iterator
from itertools import chain

from attrs import frozen

from conversations_client import Client, Conversation
from conversations_client.cli._display.output import print_message

MAX_PAGE_SIZE = 100


@frozen
class Selection:
    """The listings that a command reads.

    There may be several, because the API can't list all conversations at once.

    Attributes:
        entity_ids: The agents and deployments without duplicates; None stands for the standalone
            conversations.
    """

    entity_ids: tuple[str | None, ...]

    @property
    def left_out(self) -> str:
        """The conversations that the command leaves out, and the options to include them."""
        others = "other " if self.entity_ids != (None,) else ""
        entities = f"{others}agents and deployments (add --entity-id for each of them)"
        if None in self.entity_ids:
            return f"conversations of {entities}"
        return f"standalone conversations (add --standalone) and those of {entities}"

    def summary(self) -> dict[str, object]:
        """The selection for a report in JSON."""
        return {"entity_ids": self.entity_ids, "left_out": self.left_out}

    def listing(self, client: Client, *, limit: int = MAX_PAGE_SIZE) -> Iterator[Conversation]:
        """The conversations of all listings, one listing after another."""
        listings = [
            client.conversations.list(limit=limit, entity_id=entity_id)
            for entity_id in self.entity_ids
        ]
        found = chain.from_iterable(listings)
        return found if len(listings) == 1 else _each_once(found)

    def report_left_out(self) -> None:
        """Print on stderr what the command leaves out."""
        print_message(f"Not included: {self.left_out}.")


def _each_once(conversations: Iterable[Conversation]) -> Iterator[Conversation]:
    """Skip duplicates: revision 1 ignores the entity and lists conversations of all entities."""
    seen = set[str | None]()
    for conversation in conversations:
        if conversation.id is None or conversation.id not in seen:
            yield conversation
        seen.add(conversation.id)


def selection(entity_ids: tuple[str, ...], *, standalone: bool) -> Selection:
    """The selection for the options of a command.

    Args:
        entity_ids: The values of `--entity-id`.
        standalone: Whether to add the standalone conversations, which are the default without
            `--entity-id`.
    """
    with_standalone = (None,) if standalone or not entity_ids else ()
    return Selection((*with_standalone, *dict.fromkeys(entity_ids)))
