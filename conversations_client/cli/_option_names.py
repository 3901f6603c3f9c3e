"""Rewords the client's errors for the command line: options in place of Python arguments."""

import re
from typing import Final

from conversations_client import ConversationsError

_OPTIONS: Final = "api_key|base_url|project_id|max_in_flight"

# An argument without an option is no advice here.
_REWORDINGS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in {
        r"\[Errno -?\d+\] ": "",
        r"(No API key: .*)\.$": r"\1. To try it without a key, add --sandbox.",
        r"raise Timeout\(total=…\)": "raise --timeout",
        r"Timeout\.total\b": "--timeout",
        r", or None for no limit": "",
        r", or raise Timeout\(connect=…\)": " and the network",
        r": raise Timeout\(idle=…\) if the service needs longer": "",
        r": raise max_connections, or send fewer requests at once": ": lower --max-in-flight",
        r"pass an ssl_context that trusts the service's certificate": (
            "set SSL_CERT_FILE to the file of its certificate authority"
        ),
        r", or pass allow_plain_http=True[^.]*": "",
        r", or allow more attempts with retry=Retry\(attempts=…\)": "",
        r"retry_after_max=(\S+): wait that long, or raise it": (
            r"the \1 s that a command waits: come back then"
        ),
        r"max_(?:response|event)_bytes=(\d+)(?:: raise the limit if the \w+ is valid)?": (
            r"the \1 bytes that a command takes"
        ),
        r"\bpass change_destination=True\b": "add --change-destination",
        r"^display_name\b": "The name",
        r"^conversation_id\b": "The id",
        r"^(?:metadata: )?(entity_id|context|model)\b": r"--\1",
        rf"\b({_OPTIONS})\b(?:=…)?": r"--\1",
    }.items()
)
_OPTION: Final = re.compile(r"--[a-z_]+")


def describe(error: ConversationsError) -> str:
    """The error's message, with options where it names arguments."""
    message = str(error)
    for pattern, replacement in _REWORDINGS:
        message = pattern.sub(replacement, message)
    return _OPTION.sub(_hyphenated, message)


def _hyphenated(option: re.Match[str]) -> str:
    return option[0].replace("_", "-")
