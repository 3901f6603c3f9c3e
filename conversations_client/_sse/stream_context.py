"""Where the events of a stream come from."""

from attrs import frozen

from conversations_client._base.secret import Secret


@frozen(kw_only=True)
class StreamContext:
    """Where the events come from, for the words of errors.

    Attributes:
        request: The request, as `METHOD /path`.
        content_type: What the answer says that it is.
        content_encoding: What the answer says that it is packed in; empty if in nothing.
        attempts: How often the request was sent.
        request_id: What the service calls the exchange; None if it doesn't say.
        max_bytes: How many bytes the events may have that bring parts of the response.
        key: What must not appear in errors, should the service repeat it.
    """

    request: str
    content_type: str
    content_encoding: str
    attempts: int
    request_id: str | None
    max_bytes: int
    key: Secret
