"""Names for conversations that have none."""

from typing import Final

from conversations_client.sandbox._schemas import NAME_LENGTH
from conversations_client.sandbox._store import DEFAULT_NAME

_WORDS: Final = 8


def name_from(context: str) -> str:
    """Name a conversation after what it is about.

    Args:
        context: What is said in it.

    Returns:
        The first words on one line, at most 100 characters; the same for the same context.
    """
    return " ".join(context.split()[:_WORDS])[:NAME_LENGTH].rstrip() or DEFAULT_NAME
