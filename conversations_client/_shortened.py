"""Text of any length, for messages that people read."""


def shortened(text: str, longest: int) -> str:
    """A text of so many characters at most, and a mark where more was cut off."""
    return text if len(text) <= longest else f"{text[:longest]}…"
