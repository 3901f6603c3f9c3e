"""Text for messages that people read."""

from typing import Final

_LONGEST_MESSAGE: Final = 500


def truncate(text: str, longest: int) -> str:
    """A text of so many characters at most, and a mark where more was cut off."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def readable(message: str) -> str:
    """What a service says, fit for the terminals and logs in which it ends up."""
    text = "".join(c if c.isprintable() else " " for c in message[:_LONGEST_MESSAGE])
    return text.rstrip(". ") + ("…" if len(message) > _LONGEST_MESSAGE else "")
