"""The conversations that a command includes and leaves out."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain

from attrs import define

from conversations_client import Client, Conversation
from conversations_client.cli._display.output import print_message, print_note

MAX_PAGE_SIZE = 100


@define
class Selection:
    """The listings that a command reads.

    There may be several, because the API can't list all conversations at once.

    Attributes:
        entity_ids: The agents and deployments without duplicates; None stands for the standalone
            conversations.
        includes_others: Whether the service listed conversations of other entities. Revision 1 of
            the API doesn't filter by entity.
    """

    entity_ids: tuple[str | None, ...]
    includes_others: bool = False

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
        if self.includes_others:
            return {"entity_ids": None, "left_out": None}
        return {"entity_ids": self.entity_ids, "left_out": self.left_out}

    def one_after_another(self, client: Client) -> Iterator[Conversation]:
        """The conversations of all listings, one listing after another."""
        return self._each_once(chain.from_iterable(self._listings(client, MAX_PAGE_SIZE)))

    def newest_first(self, client: Client, *, page_size: int) -> Iterator[Conversation]:
        """The conversations of all listings, newest first. Holds a page of each listing."""
        listings = self._listings(client, page_size)
        return self._each_once(merge(*listings, key=_time, reverse=True))

    def report_left_out(self) -> None:
        """Print on stderr what the command leaves out."""
        if not self.includes_others:
            print_note(f"Not included: {self.left_out}.")

    def report_others(self) -> None:
        """Print on stderr that the selection had no effect."""
        if self.includes_others:
            print_message(
                "This service doesn't filter by agent or deployment, so the conversations of all "
                "of them are included."
            )

    def _listings(self, client: Client, page_size: int) -> list[Iterator[Conversation]]:
        return [self._listing(client, each, page_size) for each in self.entity_ids]

    def _listing(
        self, client: Client, entity_id: str | None, page_size: int
    ) -> Iterator[Conversation]:
        for conversation in client.conversations.list(limit=page_size, entity_id=entity_id):
            self.includes_others |= conversation.entity_id != entity_id
            yield conversation

    def _each_once(self, conversations: Iterator[Conversation]) -> Iterator[Conversation]:
        return conversations if len(self.entity_ids) == 1 else _without_duplicates(conversations)


def _time(conversation: Conversation) -> tuple[float, str]:
    # The IDs order conversations of the same millisecond.
    return conversation.created_at, conversation.id or ""


def _without_duplicates(conversations: Iterable[Conversation]) -> Iterator[Conversation]:
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
    if any("," in each for each in entity_ids):
        print_message(
            "An ID that you passed with --entity-id contains a comma. To pass several IDs, repeat "
            "the option: --entity-id ID --entity-id ID."
        )
    with_standalone = (None,) if standalone or not entity_ids else ()
    return Selection((*with_standalone, *dict.fromkeys(entity_ids)))
