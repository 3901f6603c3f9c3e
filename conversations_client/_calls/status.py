"""An answer without success, as the error that says what to do next."""

import json
import re
from http import HTTPStatus
from typing import Any, Final

from conversations_client._base.headers import Headers
from conversations_client._base.secret import Secret
from conversations_client._base.text import readable
from conversations_client.errors import StatusError, status_error_class

from .operation import Reply, Request

# As nginx, Apache httpd and Go's servers say it.
_WANTS_TLS: Final = re.compile(rb"plain HTTP (?:request was sent )?to |HTTP request to an HTTPS ")


def status_error(request: Request, reply: Reply, *, reason: str, key: Secret) -> StatusError:
    """The error for a reply that is no success.

    Args:
        request: What was asked.
        reply: What came back.
        reason: Why it wasn't asked again, or nothing.
        key: What must not appear in the error, should the service repeat it.
    """
    cls = status_error_class(reply.status)
    body = key.redact(reply.body)
    # Redacted once more, for JSON may spell the key in other letters; and before it is cut off.
    said = readable(key.redact(_message_of(body)))
    request_id = shown(reply, "x-request-id", key) or None
    words = (
        f"{request} was answered with {_phrase(reply.status)}{f': {said}' if said else ''}.",
        reason,
        _hint(reply, cls.hint, reason),
        _hint_at_tls(reply),
        f"Request id: {request_id}." if request_id else "",
    )
    return cls(
        " ".join(filter(None, words)),
        status=reply.status,
        service_message=said or None,
        headers=_redacted(reply.headers, key),
        body=body,
        retry_after=reply.retry_after,
        delivery=reply.delivery,
        request_id=request_id,
    )


def _redacted(headers: Headers, key: Secret) -> Headers:
    in_names = Secret(key.reveal().lower())  # as they are
    return Headers([(in_names.redact(name), key.redact(said)) for name, said in headers.items()])


def shown(reply: Reply, header: str, key: Secret) -> str:
    """A header of an answer, fit to be shown; empty if it isn't there."""
    return readable(key.redact(reply.headers.get(header, "")))


def _message_of(body: bytes) -> str:
    try:
        found: Any = json.loads(body)
        message = found["message"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return ""
    return message if isinstance(message, str) else ""


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _hint(reply: Reply, hint: str, reason: str) -> str:
    if "Retry-After" in reason:
        return ""  # it says itself what to change
    return hint or _redirect_hint(reply.status)


def _hint_at_tls(reply: Reply) -> str:
    if reply.status != HTTPStatus.BAD_REQUEST or not _WANTS_TLS.search(reply.body):
        return ""
    return "What answers there wants encryption: begin base_url with https://."


def _redirect_hint(status: int) -> str:
    if not 300 <= status <= 399:  # noqa: PLR2004 - the range is the definition
        return ""
    return "Redirects are never followed with the API key: set base_url to where the API is."
