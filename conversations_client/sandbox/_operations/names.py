"""Names for conversations that have none."""

from typing import Final

from conversations_client.sandbox._schemas.requests import NAME_LENGTH
from conversations_client.sandbox._storage.conversations import DEFAULT_NAME

_WORDS: Final = 8


def name_from(context: str) -> str:
    """Make a name from what a conversation is about.

    Args:
        context: The text to name it after.

    Returns:
        The first words on one line, at most 100 characters; the same for the same context.
    """
    return " ".join(context.split()[:_WORDS])[:NAME_LENGTH].rstrip() or DEFAULT_NAME
