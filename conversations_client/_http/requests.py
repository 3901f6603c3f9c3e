"""Builds the requests of a client. No I/O."""

from typing import Final
from urllib.parse import urlencode, urlsplit

from conversations_client._base.version import __version__
from conversations_client._calls.operation import Request
from conversations_client._calls.settings import Settings
from conversations_client.errors import InvalidArgumentError

from .connections.request_head import header_lines
from .connections.wire import RequestLimits, WireRequest

_USER_AGENT: Final = f"conversations-client/{__version__}"
_JSON: Final = {"Accept": "application/json", "Accept-Encoding": "gzip"}
_EVENTS: Final = {
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",  # compression may delay events
    "Cache-Control": "no-store",
}
_BODY: Final = {"Content-Type": "application/json"}
_MAX_TARGET_LENGTH: Final = 65536


class Requests:
    """Builds the requests of a client, with header lines that are serialized once.

    Args:
        settings: The client's settings.
    """

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.base_url)
        self._prefix = url.path
        common = {
            "Host": url.netloc,
            "Authorization": f"Bearer {settings.api_key.reveal()}",
            "User-Agent": _USER_AGENT,
        }
        extra = settings.extra_headers
        self._without_body = _extended(_lines({**common, **_JSON}), extra)
        self._with_body = _extended(_lines({**common, **_JSON, **_BODY}), extra)
        self._streaming = _extended(_lines({**common, **_EVENTS, **_BODY}), extra)

    def make(
        self, request: Request, *, idempotency_key: str | None, limits: RequestLimits
    ) -> WireRequest:
        """The request for one attempt; raises InvalidArgumentError."""
        query = f"?{urlencode(request.query)}" if request.query else ""
        target = f"{self._prefix}{request.path}{query}"
        if len(target) > _MAX_TARGET_LENGTH:
            raise InvalidArgumentError(
                f"The path and the query have more than {_MAX_TARGET_LENGTH} characters: shorten "
                "them."
            )
        fixed_lines, lines = self._fixed_lines(request), b""
        if request.extra_headers:
            fixed_lines = _extended(fixed_lines, request.extra_headers)
        if idempotency_key is not None:
            lines = header_lines([(b"Idempotency-Key", idempotency_key.encode("latin-1"))])
        if request.body is not None:
            lines += b"Content-Length: %d\r\n" % len(request.body)
        return WireRequest(
            request.method.encode("ascii"),
            target.encode("ascii"),
            lines,
            request.body or b"",
            limits,
            fixed_lines,
        )

    def _fixed_lines(self, request: Request) -> bytes:
        if request.streams:
            return self._streaming
        return self._without_body if request.body is None else self._with_body


def _extended(lines: bytes, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Lines plus headers; a header replaces the line with its name, but never the first line."""
    for name, _ in headers:
        start = lines.lower().find(b"\n%b:" % name.lower().encode()) + 1
        if start:
            lines = lines[:start] + lines[lines.index(b"\n", start) + 1 :]
    return lines + header_lines([(name.encode(), value.encode()) for name, value in headers])


def _lines(headers: dict[str, str]) -> bytes:
    return header_lines(
        (name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()
    )
