"""Prepares text for error messages."""

from typing import Final

_MAX_MESSAGE_LENGTH: Final = 500
_WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_SENTENCE_ENDS: Final = (".", "!", "?", "…")


def truncate(text: str, max_length: int) -> str:
    """The first `max_length` characters of the text, with an ellipsis if the text is longer."""
    return text if len(text) <= max_length else f"{text[:max_length]}…"


def shown(value: object) -> str:
    """The repr of an argument, truncated; its type if it has no repr."""
    try:
        return truncate(repr(value), _MAX_MESSAGE_LENGTH)
    except ValueError:  # Python limits the digits of an int
        return f"an {type(value).__name__} with too many digits"


def readable(message: str) -> str:
    """A message from the service, truncated and without unprintable characters."""
    text = "".join(c if c.isprintable() else " " for c in message[:_MAX_MESSAGE_LENGTH])
    return text.rstrip() + ("…" if len(message) > _MAX_MESSAGE_LENGTH else "")


def web_page_hint(content_type: str) -> str:
    """What to check if a response is a web page, with a leading space; empty for other types."""
    if content_type.partition(";")[0].strip().lower() not in _WEB_PAGES:
        return ""
    return " This looks like a web page, perhaps a login page: check base_url."


def with_request_id(message: str, request_id: str | None) -> str:
    """An error message that ends with the service's ID for the request, if it sent one."""
    return f"{message} Request ID: {request_id}." if request_id else message


def sentence(text: str) -> str:
    """The text with a period at the end, unless it already ends with punctuation."""
    return text if text.endswith(_SENTENCE_ENDS) else f"{text}."
