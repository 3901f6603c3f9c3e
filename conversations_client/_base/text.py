"""Text for messages that people read."""

from typing import Final

_LONGEST_MESSAGE: Final = 500
_WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_SENTENCE_ENDS: Final = (".", "!", "?", "…")


def truncate(text: str, longest: int) -> str:
    """At most so many characters of a text, and an ellipsis if it is longer."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def readable(message: str) -> str:
    """A message of the service, made fit for terminals and logs and truncated."""
    text = "".join(c if c.isprintable() else " " for c in message[:_LONGEST_MESSAGE])
    return text.rstrip() + ("…" if len(message) > _LONGEST_MESSAGE else "")


def web_page_hint(content_type: str) -> str:
    """What to check if a response is a web page; begins with a space, empty for other types."""
    if content_type.partition(";")[0].strip().lower() not in _WEB_PAGES:
        return ""
    return " This looks like a web page (a login page, or a wrong base_url)."


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends a sentence already."""
    return text if text.endswith(_SENTENCE_ENDS) else f"{text}."
