"""Requests, replies and operations, which combine a request with its response class. No I/O."""

from collections.abc import Container
from enum import Enum, auto
from types import NoneType
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from attrs import field, frozen

from conversations_client._base.headers import Headers
from conversations_client.errors import DecodeError, Delivery, Fault, TransportError

from .retry_after import seconds_to_wait

if TYPE_CHECKING:
    from .settings import Timeout

T = TypeVar("T")

_NOT_AT_THIS_PATH: Final = frozenset({301, 302, 307, 308, 404, 405})
_TOO_EARLY_OR_TOO_MANY: Final = frozenset({425, 429})
_MAX_SEGMENT_LENGTH: Final = 100


def is_throttled(status: int, retry_after: float | None) -> bool:
    """Whether the service is temporarily refusing requests, so that any may be sent again."""
    return status in _TOO_EARLY_OR_TOO_MANY or (
        status == 503 and retry_after is not None  # noqa: PLR2004 - Service Unavailable
    )


@frozen(kw_only=True)
class Request:
    """A request to send.

    Attributes:
        method: The HTTP method, upper case.
        template: The documented path, such as `/v2/conversations/{conversation_id}`, which logs
            and spans contain instead of the actual one.
        path: The path to send, each segment quoted.
        query: Names and values, not yet encoded.
        body: JSON; None for a request without a body.
        idempotency_key: The `Idempotency-Key` header, the same on every attempt; None if none is
            set.
        streams: Whether the response is a stream of events.
        caller_handles_throttling: Whether a throttled request fails instead of being sent again,
            for callers that coordinate the delays of many requests.
        timeout: How long the call may take; None for the client's timeout.
        extra_headers: The names and values of headers that the caller adds.
    """

    method: str
    template: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    streams: bool = False
    caller_handles_throttling: bool = False
    timeout: "Timeout | None" = None
    extra_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """The method and the path, for errors; long IDs are truncated."""
        from conversations_client._base.text import truncate

        segments = [truncate(segment, _MAX_SEGMENT_LENGTH) for segment in self.path.split("/")]
        return f"{self.method} {'/'.join(segments)}"


@frozen(kw_only=True)
class Reply:
    """A complete response.

    Attributes:
        status: The HTTP status.
        headers: The headers.
        body: The whole body, decoded from its content encoding.
        received_at: The Unix time of receipt in seconds; `Retry-After` is relative to it.
        body_problem: Why the body could not be decoded; None if it was decoded. A body that could
            not be decoded is empty, which is an error only if the status indicates success.
        was_sent_before: Whether an injected HTTP client had sent the request before, in which case
            the status doesn't tell whether the service has acted.
    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    received_at: float
    body_problem: str | None = None
    was_sent_before: bool = field(default=False, repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - the definition

    @property
    def retry_after(self) -> float | None:
        """The seconds in a valid `Retry-After`; None if there is none."""
        return seconds_to_wait(self.headers.get("retry-after"), now=self.received_at)

    @property
    def delivery(self) -> Delivery:
        """Whether the service acted, judging by the status."""
        if self.was_sent_before:
            return Delivery.UNKNOWN
        if self.status == 503:  # noqa: PLR2004 - Service Unavailable
            return Delivery.UNKNOWN if self.retry_after is None else Delivery.REFUSED
        if 400 <= self.status <= 499 and self.status != 408:  # noqa: PLR2004 - the definition
            return Delivery.REFUSED
        return Delivery.UNKNOWN

    @property
    def is_throttled(self) -> bool:
        """Whether the service is temporarily refusing requests, so that any may be sent again."""
        return is_throttled(self.status, self.retry_after)


Outcome = Reply | TransportError


class Body(Enum):
    """The kind of body that a successful response has."""

    JSON = auto()
    """JSON that matches the operation's class."""
    NONE = auto()
    """Empty."""
    STREAM = auto()
    """Events, which the stream checks as they arrive."""


@frozen
class Success:
    """The documented success of an operation; any other 2xx reply is a DecodeError.

    Attributes:
        body: The kind of body.
        statuses: The statuses; None for any 2xx status.
    """

    body: Body
    statuses: Container[int] | None = None

    def check(self, reply: Reply) -> None:
        """Raise DecodeError for a 2xx reply that isn't the documented success."""
        if self.statuses is not None and reply.status not in self.statuses:
            raise _unexpected(f"{reply.status} is not a documented success status")
        if reply.body_problem is not None:
            raise _unexpected(reply.body_problem)
        if self.body is Body.NONE and reply.body:
            raise _unexpected("expected no body")


def _unexpected(problem: str) -> DecodeError:
    return DecodeError((Fault("$", problem),))


# The documented statuses are 201 for create and 200 for the rest. Both are accepted everywhere: a
# service may return 200 for a repeated create request, and the body is checked in any case.
JSON_SUCCESS: Final = Success(Body.JSON, frozenset({200, 201}))
NO_CONTENT: Final = Success(Body.NONE, frozenset({204}))
STREAM_SUCCESS: Final = Success(Body.STREAM, frozenset({200}))
_ANY_JSON: Final = Success(Body.JSON)
_ANY_EMPTY: Final = Success(Body.NONE)


def any_success(returns: type[object]) -> Success:
    """What counts as success for an endpoint that the client has no method for."""
    return _ANY_EMPTY if returns is NoneType else _ANY_JSON


@frozen
class Operation(Generic[T]):
    """A request with the class of its response.

    Attributes:
        request: The request to send.
        returns: The class of the response; NoneType if it has no body.
        success: The documented success.
        alternate: The same request at the path of a different revision of the API.
    """

    request: Request
    returns: type[T]
    success: Success = JSON_SUCCESS
    alternate: Request | None = None

    def at_known_path(self, missing: Container[str]) -> "Operation[T]":
        """The operation at its alternate path if only its first path is missing."""
        other = self.alternate
        if other is None or self.request.template not in missing or other.template in missing:
            return self
        return Operation(other, self.returns, self.success, alternate=self.request)

    def at_alternate_path(self, reply: Reply) -> "Operation[T] | None":
        """The operation at its alternate path if the reply means that this path doesn't exist."""
        if self.alternate is None or reply.status not in _NOT_AT_THIS_PATH:
            return None
        return Operation(self.alternate, self.returns, self.success)

    def read(self, reply: Reply) -> T:
        """The parsed body of a 2xx reply; raises DecodeError."""
        self.success.check(reply)
        if self.returns is NoneType:
            return cast("T", None)
        from conversations_client._json.conversion import read

        return read(reply.body, self.returns)
