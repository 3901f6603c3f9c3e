"""One call as values: what to ask, what came back, and how to read it. No I/O."""

from collections.abc import Container
from types import NoneType
from typing import Final, Generic, TypeVar, cast

from attrs import field, frozen

from conversations_client._base.headers import Headers
from conversations_client.errors import Delivery, TransportError

from .retry_after import seconds_to_wait

T = TypeVar("T")

_NOTHING_HERE: Final = frozenset({301, 302, 307, 308, 404, 405})
_REFUSED_AS_TOO_EARLY_OR_MANY: Final = frozenset({425, 429})
_LONGEST_SEGMENT: Final = 100


def is_throttled(status: int, retry_after: float | None) -> bool:
    """Whether the service refused for now, so that any request may be sent again."""
    return status in _REFUSED_AS_TOO_EARLY_OR_MANY or (
        status == 503 and retry_after is not None  # noqa: PLR2004 - Service Unavailable
    )


@frozen(kw_only=True)
class Request:
    """What to ask.

    Attributes:
        method: The HTTP method, upper case.
        template: The path as documented, such as `/v2/conversations/{conversation_id}`: what logs
            and spans are grouped by.
        path: The path to send, each segment quoted.
        query: Names and values, not yet encoded.
        body: JSON; None for a request without one.
        idempotency_key: The same on every attempt; None leaves the header out.
        streams: Whether the answer is a stream of events.
        is_one_of_many: Whether somebody else waits, for all of them, where the service puts it off.
    """

    method: str
    template: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    streams: bool = False
    is_one_of_many: bool = False

    def __str__(self) -> str:
        """What errors call it: with the caller's own ids, however long those are."""
        from conversations_client._base.text import truncate

        segments = [truncate(segment, _LONGEST_SEGMENT) for segment in self.path.split("/")]
        return f"{self.method} {'/'.join(segments)}"


@frozen(kw_only=True)
class Reply:
    """What came back.

    Attributes:
        status: The HTTP status.
        headers: By name, in any case.
        body: Decoded from its content encoding, whole.
        received_at: When, in Unix seconds; what `Retry-After` counts from.
    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    received_at: float

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - the range is the definition

    @property
    def retry_after(self) -> float | None:
        """Seconds that the service asks to wait; None if it doesn't, or says nonsense."""
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


@frozen
class Operation(Generic[T]):
    """One call: what to ask, and what the answer is.

    Attributes:
        request: What to ask.
        returns: The class of the answer; NoneType where a success has no body.
        elsewhere: The same request at the path that another revision of the service has.
    """

    request: Request
    returns: type[T]
    elsewhere: Request | None = None

    def without(self, gone: Container[str]) -> "Operation[T]":
        """The operation at its other path, if there is known to be nothing at the first one."""
        other = self.elsewhere
        if other is None or self.request.template not in gone or other.template in gone:
            return self
        return Operation(other, self.returns, elsewhere=self.request)

    def moved(self, reply: Reply) -> "Operation[T] | None":
        """The operation to go on with if the reply says that there is nothing at this path."""
        if self.elsewhere is None or reply.status not in _NOTHING_HERE:
            return None
        return Operation(self.elsewhere, self.returns)

    def read(self, reply: Reply) -> T:
        """The answer of a successful reply; raises DecodeError."""
        if self.returns is NoneType:
            return cast("T", None)
        from conversations_client._json.conversion import structure
        from conversations_client._json.parser import parse

        return structure(parse(reply.body), self.returns)
