"""Maps an unsuccessful reply to an error that says what to do next."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from conversations_client._base.headers import Headers
from conversations_client._base.secret import Secret
from conversations_client._base.text import readable, sentence, with_request_id
from conversations_client.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StatusError,
    status_error_class,
)

from .operation import Reply, Request
from .retry import seconds_text

# nginx, Apache httpd and Go's servers send these.
_EXPECTED_TLS: Final = re.compile(
    rb"plain HTTP (?:request was sent )?to |HTTP request to an HTTPS "
)
_HINTS: Final[Mapping[type[StatusError], str]] = {
    AuthenticationError: "Check api_key, or the ORQ_API_KEY environment variable.",
    PermissionDeniedError: "Check the permissions of the API key, and the project it belongs to.",
    NotFoundError: (
        "Check the ID and base_url, and that the API key belongs to the same workspace."
    ),
    RateLimitError: "Send fewer requests, or allow more attempts with retry=Retry(attempts=…).",
    ServerError: "If the problem persists, contact the service's support.",
}
# In revision 1 of the API, conversations have no responses.
_NO_ENDPOINT: Final = "If the conversation exists, the service may not have this endpoint."
_API: Final = "/v2/"
_REDIRECTS: Final = frozenset({300, 301, 302, 303, 307, 308})


def status_error(request: Request, reply: Reply, *, reason: str, key: Secret) -> StatusError:
    """The error for an unsuccessful reply.

    Args:
        request: The request.
        reply: The reply.
        reason: Why the request is not sent again; empty if it may not be repeated at all.
        key: The API key, which must not appear in the error even if the service echoes it.
    """
    cls = status_error_class(reply.status)
    body = key.redact(reply.body)
    # Redacted again, because JSON may escape characters of the key, and before truncation, because
    # a truncated key would not be recognized.
    service_message = readable(key.redact(_message_of(body)))
    request_id = readable_header(reply, "x-request-id", key) or None
    start = f"{request} returned {_phrase(reply.status)}"
    sentences = (
        sentence(": ".join(filter(None, [start, service_message]))),
        reason,
        _retry_after_hint(reply, reason),
        _hint(request, reply, reason),
        _tls_hint(reply),
    )
    return cls(
        with_request_id(" ".join(filter(None, sentences)), request_id),
        status=reply.status,
        service_message=service_message or None,
        headers=_redacted(reply.headers, key),
        body=body,
        retry_after=reply.retry_after,
        delivery=reply.delivery,
        request_id=request_id,
    )


def readable_header(reply: Reply, header: str, key: Secret) -> str:
    """A header, readable and without the API key; empty if it is absent."""
    return readable(key.redact(reply.headers.get(header, "")))


def _redacted(headers: Headers, key: Secret) -> Headers:
    in_names = Secret(key.reveal().lower())  # names are lower case
    return Headers([(in_names.redact(name), key.redact(text)) for name, text in headers.items()])


def _message_of(body: bytes) -> str:
    try:
        document: Any = json.loads(body)
        message = document["message"]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return ""
    return message if isinstance(message, str) else ""


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _hint(request: Request, reply: Reply, reason: str) -> str:
    if "Retry-After" in reason:
        return ""  # the reason already includes advice
    if reply.status == HTTPStatus.NOT_FOUND and not request.template.startswith(_API):
        return f"The paths of the API begin with {_API}: check the path, and check base_url."
    if reply.status == HTTPStatus.NOT_FOUND and "{conversation_id}" not in request.template:
        return "Check base_url, and check that everything the request refers to exists."
    if reply.status == HTTPStatus.NOT_FOUND and "{conversation_id}/" in request.template:
        return f"{_HINTS[NotFoundError]} {_NO_ENDPOINT}"
    if reply.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return "The proxy requires a user and password: put them in its URL."
    return _HINTS.get(status_error_class(reply.status)) or _redirect_hint(reply.status)


def _retry_after_hint(reply: Reply, reason: str) -> str:
    if not reply.retry_after or "Retry-After" in reason:
        return ""
    return f"Wait {seconds_text(reply.retry_after)} before you try again (Retry-After)."


def _tls_hint(reply: Reply) -> str:
    if reply.status != HTTPStatus.BAD_REQUEST or not _EXPECTED_TLS.search(reply.body):
        return ""
    return "The server expects encryption: begin base_url with https://."


def _redirect_hint(status: int) -> str:
    if status not in _REDIRECTS:
        return ""
    return "The client never follows a redirect with the API key: set base_url to the API's URL."
