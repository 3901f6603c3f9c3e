"""Generates names for conversations that were created without one."""

from typing import Final

from conversations_client.sandbox._schemas.requests import NAME_LENGTH
from conversations_client.sandbox._storage.conversations import DEFAULT_NAME

_WORDS: Final = 8


def name_from(context: str) -> str:
    """Generate a name from a context.

    Args:
        context: The topic of the conversation.

    Returns:
        The first words on one line, at most 100 characters.
    """
    return " ".join(context.split()[:_WORDS])[:NAME_LENGTH].rstrip() or DEFAULT_NAME
