"""Every error that the client raises.

::

    ConversationsError
    ├── ConfigurationError            (also a ValueError)
    ├── InvalidArgumentError          (also a ValueError)
    ├── ClientClosedError             (also a RuntimeError)
    ├── TransportError                no complete response arrived
    │   ├── ConnectError              (also a ConnectionError)
    │   │   ├── TLSError
    │   │   └── ProxyError
    │   ├── DisconnectError           (also a ConnectionError)
    │   ├── ResponseTooLargeError
    │   └── TransportTimeoutError     (also a TimeoutError)
    │       ├── ConnectTimeoutError
    │       ├── PoolTimeoutError
    │       ├── IdleTimeoutError
    │       └── DeadlineError
    ├── StatusError                   the service returned a status other than 2xx
    │   ├── BadRequestError           400
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ConflictError             409
    │   ├── UnprocessableEntityError  422
    │   ├── RateLimitError            429
    │   └── ServerError               5xx
    ├── DecodeError                   a 2xx response that doesn't match the documentation
    ├── StreamError                   an incomplete streamed response, with the part that arrived
    │   ├── ResponseFailedError       the service reported a failure
    │   ├── StreamTruncatedError      the stream ended too early or is invalid
    │   └── EventTooLargeError
    ├── StreamClosedError             (also a RuntimeError)
    ├── PagingError                   a listing that can't continue
    └── OutOfRangeError               (also an OverflowError)

Stream errors are in `conversations_client.responses`. Every error can be pickled. `may_have_acted`
tells you whether the service may have carried out the request, and `is_temporary` tells you whether
the same request may succeed later.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from attrs import frozen

from conversations_client._base.headers import Headers


class Delivery(StrEnum):
    """Whether a failed request reached the service on any attempt."""

    UNSENT = "unsent"
    """The request provably never reached the service."""
    REFUSED = "refused"
    """The service refused the request without acting on it."""
    UNKNOWN = "unknown"
    """The service may have acted on the request."""


E = TypeVar("E", bound="ConversationsError")

_BY_SEVERITY: Final = (Delivery.UNSENT, Delivery.REFUSED, Delivery.UNKNOWN)


def worst_delivery(first: Delivery, second: Delivery) -> Delivery:
    """The worse of two `Delivery` values: UNKNOWN, then REFUSED, then UNSENT."""
    return max(first, second, key=_BY_SEVERITY.index)


class ConversationsError(Exception):
    """The base class of every error that this client raises.

    Example:
        try:
            client.conversations.create()
        except ConversationsError as error:
            is_safe_to_try_again_later = error.is_temporary and not error.may_have_acted
    """

    delivery: Delivery
    """Whether the request reached the service."""
    attempts: int
    """How many times the client tried to send the request."""
    request_id: str | None
    """The service's ID for the last attempt (`x-request-id`); None if it sent none."""
    method: str | None = None
    """The HTTP method of the request; None if the error doesn't belong to one request."""
    template: str | None = None
    """The documented path of the request, such as `/v2/conversations/{conversation_id}`; None if
    the error doesn't belong to one request."""

    def __init__(
        self,
        message: str,
        *,
        delivery: Delivery = Delivery.UNSENT,
        attempts: int = 0,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.delivery = delivery
        self.attempts = attempts
        self.request_id = request_id

    @property
    def may_have_acted(self) -> bool:
        """Whether the service may have acted on the request.

        If so, a retry could cause the request to be carried out twice.
        """
        return self.delivery is Delivery.UNKNOWN

    @property
    def is_temporary(self) -> bool:
        """Whether the same request, unchanged, may succeed later.

        True for failures of the network and the service: no connection, timeouts, broken
        connections, 408, 425, 429 and most 5xx. False if a retry can't succeed until the request,
        the settings or the response changes. Also check `may_have_acted` before you retry a request
        that changes data.
        """
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception.__reduce__() would call the class with the message as its only argument.
        return _revive, (type(self), self.args), self.__dict__


def _revive(cls: type[Any], args: tuple[Any, ...]) -> Any:  # noqa: ANN401 - an instance of cls
    error = cls.__new__(cls, *args)
    # OSError, a base class of some errors, sets args in __init__, which is not called here.
    error.args = args
    return error


def with_outcome(error: E, *, delivery: Delivery, attempts: int, message: str) -> E:
    """A copy of an error with the result of all attempts and its final message."""
    final: E = _revive(type(error), (message,))
    final.__dict__.update(error.__dict__, delivery=delivery, attempts=attempts)
    return final


class ConfigurationError(ConversationsError, ValueError):
    """A client setting is missing or invalid."""


class InvalidArgumentError(ConversationsError, ValueError):
    """An argument to a call is invalid; nothing was sent."""


class ClientClosedError(ConversationsError, RuntimeError):
    """The client was closed before the request was sent, or before it was sent again."""


class StreamClosedError(ConversationsError, RuntimeError):
    """A stream or bulk call was used outside its `with` block, after its end or an interruption."""


class PagingError(ConversationsError):
    """The service reports that a listing has more pages, but sends no new cursor.

    The items returned so far are valid, but there may be more.
    """


class OutOfRangeError(ConversationsError, OverflowError):
    """A time in milliseconds is outside the range of `datetime`."""


class TransportError(ConversationsError):
    """The client didn't receive a complete response."""

    @property
    def is_temporary(self) -> bool:
        """True, except for TLSError and ResponseTooLargeError."""
        return True


class ConnectError(TransportError, ConnectionError):
    """The client could not connect."""


class TLSError(ConnectError):
    """The connection could not be encrypted, usually because of a certificate problem."""

    @property
    def is_temporary(self) -> bool:
        """False: a certificate or a setting must change first."""
        return False


class ProxyError(ConnectError):
    """The proxy could not be reached, or refused the connection."""


class DisconnectError(TransportError, ConnectionError):
    """The connection broke, or the peer did not send valid HTTP."""


class ResponseTooLargeError(TransportError):
    """The response is larger than `max_response_bytes`."""

    @property
    def is_temporary(self) -> bool:
        """False: the next response would be too large as well."""
        return False


class TransportTimeoutError(TransportError, TimeoutError):
    """A step took longer than `timeout` allows."""


class ConnectTimeoutError(TransportTimeoutError):
    """Connecting took longer than `Timeout.connect` seconds."""


class PoolTimeoutError(TransportTimeoutError):
    """No connection in the pool became free in time."""


class IdleTimeoutError(TransportTimeoutError):
    """Nothing was sent or received on the connection for `Timeout.idle` seconds."""


class DeadlineError(TransportTimeoutError):
    """The whole call, including retries and pauses, took longer than `Timeout.total` seconds."""


class StatusError(ConversationsError):
    """The service returned a status other than 2xx.

    Example:
        try:
            client.conversations.retrieve("conv_unknown")
        except StatusError as error:
            print(error.status, error.service_message, error.request_id)
    """

    status: int
    """The HTTP status."""
    service_message: str | None
    """The `message` in the service's JSON error body; None if there is none."""
    headers: Headers
    """The headers of the response, with case-insensitive names."""
    body: bytes
    """The body of the response; empty if it could not be read or decoded."""
    retry_after: float | None
    """Seconds to wait, from `Retry-After`; None if the header is absent or invalid."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        service_message: str | None,
        headers: Headers,
        body: bytes,
        retry_after: float | None,
        delivery: Delivery,
        request_id: str | None,
    ) -> None:
        super().__init__(message, delivery=delivery, attempts=1, request_id=request_id)
        self.status = status
        self.service_message = service_message
        self.headers = headers
        self.body = body
        self.retry_after = retry_after

    @property
    def is_temporary(self) -> bool:
        """True for 408, 425, 429 and 5xx, except 501 and 505."""
        return is_temporary_status(self.status)


class BadRequestError(StatusError):
    """400: the service rejects the request in its current form."""


class AuthenticationError(StatusError):
    """401: the API key is missing or invalid."""


class PermissionDeniedError(StatusError):
    """403: the API key lacks permission for this request."""


class NotFoundError(StatusError):
    """404: the conversation does not exist, or this API key has no access to it.

    Example:
        try:
            client.conversations.delete("conv_unknown")
        except NotFoundError:
            pass  # it was already deleted
    """


class ConflictError(StatusError):
    """409: the request conflicts with another request, or with the state of the conversation."""


class UnprocessableEntityError(StatusError):
    """422: the service understands the request, but rejects its contents."""


class RateLimitError(StatusError):
    """429: too many requests. `retry_after` is the number of seconds to wait; None if unknown."""


class ServerError(StatusError):
    """5xx: the service failed."""


_TEMPORARY: Final = frozenset({408, 425, 429})
_PERMANENT: Final = frozenset({501, 505})  # the server doesn't support the method or HTTP version

_BY_STATUS: Final[Mapping[int, type[StatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def status_error_class(status: int) -> type[StatusError]:
    """The error class for an unsuccessful HTTP status."""
    if 500 <= status <= 599:  # noqa: PLR2004 - the range is the definition
        return ServerError
    return _BY_STATUS.get(status, StatusError)


def is_temporary_status(status: float) -> bool:
    """Whether the same request may succeed later after this HTTP status."""
    return status in _TEMPORARY or (500 <= status <= 599 and status not in _PERMANENT)  # noqa: PLR2004


@frozen
class Fault:
    """A value in a response that doesn't match the API's documentation.

    Attributes:
        path: The JSON path of the value, such as `$.metadata.entityId`.
        problem: What is wrong; the value itself is not included.
    """

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class DecodeError(ConversationsError):
    """The status indicates success, but the response doesn't match the API's documentation.

    Example:
        try:
            structure({"kind": 1}, Conversation)
        except DecodeError as error:
            assert [fault.path for fault in error.faults][:2] == ["$.kind", "$.displayName"]
    """

    faults: tuple[Fault, ...]
    """Every invalid value, with its JSON path."""
    status: int | None
    """The HTTP status; None if the error comes from `structure`."""
    body: bytes
    """The body of the response; empty if the error comes from `structure`."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults
        self.status = None
        self.body = b""
