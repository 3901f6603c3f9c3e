"""Every error that the client raises.

::

    ConversationsError
    ├── ConfigurationError            (also a ValueError)
    ├── InvalidArgumentError          (also a ValueError)
    ├── ClientClosedError             (also a RuntimeError)
    ├── TransportError                no complete answer came
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
    ├── StatusError                   the service answered, but with no success
    │   ├── BadRequestError           400
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ConflictError             409
    │   ├── UnprocessableEntityError  422
    │   ├── RateLimitError            429
    │   └── ServerError               5xx
    ├── DecodeError                   success, but not the answer that the API documents
    ├── StreamError                   a response that broke off, with what had arrived
    │   ├── ResponseFailedError       the service says so itself
    │   ├── StreamTruncatedError      it ended too early, or can't be read on
    │   └── EventTooLargeError
    ├── StreamClosedError             (also a RuntimeError)
    ├── PagingError                   a listing that can't go on
    └── OutOfRangeError               (also an OverflowError)

Those of streams are in `conversations_client.responses`, beside what they hold.
Each can be pickled and says in `delivery` whether the service may have acted on the request.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, Self

from attrs import frozen

from conversations_client._base.headers import Headers


class Delivery(StrEnum):
    """What is known of a request that ended in an error, over all its attempts."""

    UNSENT = "unsent"
    """It provably never reached the service."""
    REFUSED = "refused"
    """The service answered that it did not act on it."""
    UNKNOWN = "unknown"
    """The service may have acted on it."""


class ConversationsError(Exception):
    """The root of every error of this client.

    Attributes:
        delivery: What is known of the request; UNSENT for an error that came before sending.
        attempts: How many times the request was sent or tried.
        request_id: What the service called the last attempt (`x-request-id`), if it answered.
    """

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
        """Whether the service may have done what was asked, so that a repeat could do it twice."""
        return self.delivery is Delivery.UNKNOWN

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own would call the class with its message alone.
        return _revive, (type(self), self.args), self.__dict__

    def with_outcome(self, *, delivery: Delivery, attempts: int, message: str) -> Self:
        """The same error after all attempts: what they add up to, and the words for it."""
        final: Self = _revive(type(self), (message,))
        final.__dict__.update(self.__dict__, delivery=delivery, attempts=attempts)
        return final


def _revive(cls: type[Any], args: tuple[Any, ...]) -> Any:  # noqa: ANN401 - an instance of cls
    error = cls.__new__(cls, *args)
    # OSError, the base of some, leaves them to the __init__ that is not called here.
    error.args = args
    return error


class ConfigurationError(ConversationsError, ValueError):
    """A setting of the client is missing or unusable."""


class InvalidArgumentError(ConversationsError, ValueError):
    """An argument of a call can't be what the API expects; nothing was sent."""


class ClientClosedError(ConversationsError, RuntimeError):
    """The client was closed before the call."""


class StreamClosedError(ConversationsError, RuntimeError):
    """A stream, or `create_many`, was used outside its `with` block, or after its end."""


class PagingError(ConversationsError):
    """The service says that a listing has more, but not where to go on.

    What the listing gave until then is right, and may not be all.
    """


class OutOfRangeError(ConversationsError, OverflowError):
    """A number of milliseconds is outside what `datetime` can hold."""


class TransportError(ConversationsError):
    """No complete answer came back."""


class ConnectError(TransportError, ConnectionError):
    """No connection could be made."""


class TLSError(ConnectError):
    """The connection could not be secured, most often for its certificate."""


class ProxyError(ConnectError):
    """The proxy could not be reached, or refused."""


class DisconnectError(TransportError, ConnectionError):
    """The connection broke, or what came over it was not HTTP."""


class ResponseTooLargeError(TransportError):
    """The answer is larger than `max_response_bytes`."""


class TransportTimeoutError(TransportError, TimeoutError):
    """Something took longer than `timeout` allows."""


class ConnectTimeoutError(TransportTimeoutError):
    """No connection within `Timeout.connect` seconds."""


class PoolTimeoutError(TransportTimeoutError):
    """No connection of the pool became free in time."""


class IdleTimeoutError(TransportTimeoutError):
    """Nothing moved over the connection for `Timeout.idle` seconds."""


class DeadlineError(TransportTimeoutError):
    """The whole call, attempts and pauses included, took longer than `Timeout.total` seconds."""


class StatusError(ConversationsError):
    """The service answered with a status that is no success.

    Attributes:
        status: The HTTP status.
        service_message: `message` of the service's JSON error body; None if there is none.
        headers: The answer's headers, names in any case.
        body: The answer's body, as it came.
        retry_after: Seconds to wait as the service asked with `Retry-After`; None if it didn't.
    """

    hint: ClassVar[str] = ""

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


class BadRequestError(StatusError):
    """400: the request can't be done as it stands."""


class AuthenticationError(StatusError):
    """401: the service doesn't know the API key."""

    hint = "Check api_key, or the ORQ_API_KEY environment variable."


class PermissionDeniedError(StatusError):
    """403: the API key may not do this."""

    hint = "Check what the API key may do, and the project it belongs to."


class NotFoundError(StatusError):
    """404: there is no such conversation, or not for this API key."""

    hint = "Check the id and base_url, and that the API key belongs to the same workspace."


class ConflictError(StatusError):
    """409: the request collides with another one or with the state of the conversation."""


class UnprocessableEntityError(StatusError):
    """422: the service read the body and refuses what it says."""


class RateLimitError(StatusError):
    """429: too many requests; `retry_after` says how many seconds to wait, if the service did."""

    hint = "Send fewer requests, or allow more attempts with retry=Retry(attempts=…)."


class ServerError(StatusError):
    """5xx: the service failed."""

    hint = "If it lasts, tell the service's support the request id."


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
    """The class of error for an HTTP status."""
    if 500 <= status <= 599:  # noqa: PLR2004 - the range is the definition
        return ServerError
    return _BY_STATUS.get(status, StatusError)


@frozen
class Fault:
    """One place where an answer is not what the API documents.

    Attributes:
        path: Where, as a JSON path such as `$.metadata.entityId`.
        problem: What is wrong there, without the value that was found.
    """

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class DecodeError(ConversationsError):
    """Success by its status, but the answer is not what the API documents.

    Attributes:
        faults: Every place where it is wrong.
        status: The HTTP status; None where a value was structured without a call.
        body: The answer's body as it came; empty where a value was structured without a call.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults
        self.status: int | None = None
        self.body = b""
