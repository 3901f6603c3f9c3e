"""One call as values: what to send, what came back, and how to read it. No I/O."""

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
_LONGEST_SEGMENT: Final = 100


def is_throttled(status: int, retry_after: float | None) -> bool:
    """Whether the service refused for now, so that any request may be sent again."""
    return status in _TOO_EARLY_OR_TOO_MANY or (
        status == 503 and retry_after is not None  # noqa: PLR2004 - Service Unavailable
    )


@frozen(kw_only=True)
class Request:
    """What to send.

    Attributes:
        method: The HTTP method, upper case.
        template: The path as documented, such as `/v2/conversations/{conversation_id}`: logs and
            spans are grouped by it.
        path: The path to send, each segment quoted.
        query: Names and values, not yet encoded.
        body: JSON; None for a request without a body.
        idempotency_key: The same on every attempt; None leaves the header out.
        streams: Whether the response is a stream of events.
        caller_handles_throttling: Whether a throttled request goes back to the caller, which
            delays many requests together, instead of being sent again.
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
        """The request's name in errors: long IDs are truncated."""
        from conversations_client._base.text import truncate

        segments = [truncate(segment, _LONGEST_SEGMENT) for segment in self.path.split("/")]
        return f"{self.method} {'/'.join(segments)}"


@frozen(kw_only=True)
class Reply:
    """What came back.

    Attributes:
        status: The HTTP status.
        headers: By name, in any case.
        body: The whole body, decoded from its content encoding.
        received_at: When it came, in Unix seconds; `Retry-After` counts from here.
        body_problem: Why the body could not be decoded; None if it was. The body of a reply that
            is no success is empty then, because its status decides.
    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    received_at: float
    body_problem: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - the definition

    @property
    def retry_after(self) -> float | None:
        """Seconds that the service asks to wait; None if it doesn't, or not in a valid form."""
        return seconds_to_wait(self.headers.get("retry-after"), now=self.received_at)

    @property
    def delivery(self) -> Delivery:
        """Whether the service acted, by its status."""
        if self.status == 503:  # noqa: PLR2004 - Service Unavailable
            return Delivery.UNKNOWN if self.retry_after is None else Delivery.REFUSED
        if 400 <= self.status <= 499 and self.status != 408:  # noqa: PLR2004 - the definition
            return Delivery.REFUSED
        return Delivery.UNKNOWN

    @property
    def is_throttled(self) -> bool:
        """Whether the service refused for now, so that any request may be sent again."""
        return is_throttled(self.status, self.retry_after)


Outcome = Reply | TransportError


class Body(Enum):
    """What the body of a success is."""

    JSON = auto()
    """JSON of the operation's class."""
    NONE = auto()
    """Empty."""
    STREAM = auto()
    """Events, which the stream checks as they come."""


@frozen
class Success:
    """What a success of an operation looks like; any other 2xx is a DecodeError.

    Attributes:
        body: What its body is.
        statuses: Its statuses; None for all of 2xx.
    """

    body: Body
    statuses: Container[int] | None = None

    def check(self, reply: Reply) -> None:
        """Raise DecodeError for a reply of 2xx that isn't this success."""
        if self.statuses is not None and reply.status not in self.statuses:
            raise _unexpected(f"{reply.status} is not a documented success status")
        if reply.body_problem is not None:
            raise _unexpected(reply.body_problem)
        if self.body is Body.NONE and reply.body:
            raise _unexpected("expected no body")


def _unexpected(problem: str) -> DecodeError:
    return DecodeError((Fault("$", problem),))


# The API documents 201 for a creation and 200 elsewhere. A service that answers a repeated create
# from its store sends 200, and the body proves as much under either.
JSON_SUCCESS: Final = Success(Body.JSON, frozenset({200, 201}))
NO_CONTENT: Final = Success(Body.NONE, frozenset({204}))
STREAM_SUCCESS: Final = Success(Body.STREAM, frozenset({200}))
_ANY_JSON: Final = Success(Body.JSON)
_ANY_EMPTY: Final = Success(Body.NONE)


def any_success(returns: type[object]) -> Success:
    """The success of an endpoint that the client doesn't know."""
    return _ANY_EMPTY if returns is NoneType else _ANY_JSON


@frozen
class Operation(Generic[T]):
    """One call: what to send, and what the response is.

    Attributes:
        request: What to send.
        returns: The class of the response; NoneType where a success has no body.
        success: What a success looks like.
        alternate: The same request at the path of another revision of the service.
    """

    request: Request
    returns: type[T]
    success: Success = JSON_SUCCESS
    alternate: Request | None = None

    def at_known_path(self, missing: Container[str]) -> "Operation[T]":
        """The operation at its alternate path, if only its first one is known to be missing."""
        other = self.alternate
        if other is None or self.request.template not in missing or other.template in missing:
            return self
        return Operation(other, self.returns, self.success, alternate=self.request)

    def at_alternate_path(self, reply: Reply) -> "Operation[T] | None":
        """The operation to continue with if the reply means that this path doesn't exist."""
        if self.alternate is None or reply.status not in _NOT_AT_THIS_PATH:
            return None
        return Operation(self.alternate, self.returns, self.success)

    def read(self, reply: Reply) -> T:
        """The parsed response of a reply of 2xx; raises DecodeError."""
        self.success.check(reply)
        if self.returns is NoneType:
            return cast("T", None)
        from conversations_client._json.conversion import read

        return read(reply.body, self.returns)
