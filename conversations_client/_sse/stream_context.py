"""The request and response that a stream belongs to."""

from attrs import frozen

from conversations_client._base.secret import Secret


@frozen(kw_only=True)
class StreamContext:
    """The request and response that a stream belongs to, for error messages and limits.

    Attributes:
        request: The request, as `METHOD /path`.
        method: The HTTP method of the request.
        template: The documented path of the request.
        status: The HTTP status.
        content_type: The response's content type.
        content_encoding: The response's content encoding; empty if it has none.
        attempts: How many times the request was sent.
        request_id: The service's ID for the request; None if it sent none.
        max_bytes: The maximum total size of all events with parts, in bytes.
        key: The API key, which must not appear in errors even if the service echoes it.
    """

    request: str
    method: str
    template: str
    status: int
    content_type: str
    content_encoding: str
    attempts: int
    request_id: str | None
    max_bytes: int
    key: Secret
