"""The outcomes of concurrent calls. No I/O."""

from typing import TypeAlias

from attrs import frozen

from conversations_client.errors import ConversationsError
from conversations_client.messages import ConversationWithMessages
from conversations_client.models import Conversation


@frozen
class Created:
    """A conversation that `create_many` created.

    Example:
        with client.conversations.create_many([{"display_name": "Refunds"}]) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Created):
                    print(outcome.index, outcome.conversation.id)
    """

    index: int
    """The position of the request, starting at 0."""
    conversation: Conversation
    """The new conversation."""
    request_id: str | None = None
    """The service's ID for the request (`x-request-id`); None if it sent none."""


@frozen
class Retrieved:
    """A conversation that `retrieve_many` retrieved.

    Example:
        with client.conversations.retrieve_many([conversation_id]) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Retrieved):
                    print(outcome.conversation_id, outcome.conversation.messages)
    """

    index: int
    """The position of the ID, starting at 0."""
    conversation: ConversationWithMessages
    """The conversation; its `messages` is None if the service did not send any."""
    conversation_id: str
    """The ID that you passed, or the ID of the conversation that you passed."""
    request_id: str | None = None
    """The service's ID for the request (`x-request-id`); None if it sent none."""


@frozen
class Deleted:
    """A conversation that `delete_many` deleted.

    Example:
        with client.conversations.delete_many([conversation_id]) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Deleted):
                    print(outcome.conversation_id)
    """

    index: int
    """The position of the ID, starting at 0."""
    conversation_id: str
    """The ID that you passed, or the ID of the conversation that you passed."""
    request_id: str | None = None
    """The service's ID for the request (`x-request-id`); None if it sent none."""


@frozen
class Failed:
    """A request from `create_many`, `retrieve_many` or `delete_many` that failed.

    Example:
        with client.conversations.delete_many(["conv_unknown"]) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Failed):
                    print(outcome.conversation_id, outcome.error, outcome.may_have_acted)
    """

    index: int
    """The position of the request or ID, starting at 0."""
    error: ConversationsError
    """The error; an InvalidArgumentError if the request or ID is invalid and was not sent."""
    conversation_id: str | None = None
    """The ID that you passed to `retrieve_many` or `delete_many`; None for `create_many`, and for
    an item without an ID."""

    @property
    def may_have_acted(self) -> bool:
        """Whether the request may have taken effect despite the error."""
        return self.error.may_have_acted


CreateOutcome: TypeAlias = Created | Failed
"""An outcome of `create_many`."""
RetrieveOutcome: TypeAlias = Retrieved | Failed
"""An outcome of `retrieve_many`."""
DeleteOutcome: TypeAlias = Deleted | Failed
"""An outcome of `delete_many`."""
