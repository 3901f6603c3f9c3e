"""Checks the URI and the media type of a file to send; each raises InvalidArgumentError."""

import re
from typing import Final

from conversations_client.errors import InvalidArgumentError

# RFC 3986: a scheme, and no whitespace or control characters.
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f]+")
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # a token of RFC 9110
_MIME_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}(?:[ \t]*;.*)?")


def check_uri(name: str, value: object) -> None:
    """Check that a file has an absolute URI."""
    if not isinstance(value, str) or not _URI.fullmatch(value):
        raise InvalidArgumentError(
            f"{name} must be an absolute URI without spaces, such as 'https://example.com/a.pdf': "
            "for a local file, use FilePart.from_bytes(…)."
        )


def check_mime_type(name: str, value: object) -> None:
    """Check the media type of a file; None if there is none."""
    if value is not None and not (isinstance(value, str) and _MIME_TYPE.fullmatch(value)):
        raise InvalidArgumentError(
            f"{name} must be a type and a subtype, such as 'text/csv' or 'image/png'; omit it if "
            "you don't know it."
        )
