"""One call from its first attempt to its end: what has happened and what comes next. No I/O."""

import math
from typing import Final, Generic, TypeVar

from attrs import field, frozen

from conversations_client._base.headers import Headers
from conversations_client._base.secret import Secret
from conversations_client.errors import (
    ClientClosedError,
    ConversationsError,
    DeadlineError,
    DecodeError,
    Delivery,
    TransportError,
)
from conversations_client.hooks import RequestInfo, ResponseInfo

from .operation import Operation, Outcome, Reply
from .retry import IDEMPOTENT, Again, Retry
from .status import shown, status_error

T = TypeVar("T")
P = TypeVar("P")
E = TypeVar("E", bound=ConversationsError)

_WORSE: Final = (Delivery.UNSENT, Delivery.REFUSED, Delivery.UNKNOWN)


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """An answer in its envelope.

    Attributes:
        parsed: The answer as the plain call would return it.
        status: The HTTP status.
        headers: The answer's headers, names in any case.
        request_id: What the service calls the exchange (`x-request-id`); None if it doesn't say.
        attempts: How often the request was sent.
        elapsed: Seconds from the call to the end of the answer, pauses included.
    """

    parsed: T
    status: int
    headers: Headers = field(repr=False)
    request_id: str | None
    attempts: int
    elapsed: float


class Call(Generic[T]):
    """The state of one call; the engines ask it what to do and tell it what happened."""

    def __init__(
        self,
        operation: Operation[T],
        *,
        retry: Retry,
        total: float | None,
        idempotency_key: str | None,
        api_key: Secret,
        gone: set[str],
        started: float,
    ) -> None:
        self.operation = operation.without(gone)
        self._gone = gone
        self.idempotency_key = idempotency_key
        self._retry = retry
        self._api_key = api_key
        self._started = started
        self._total = total
        self._deadline = math.inf if total is None else started + total
        self._attempts = 0
        self._delivery = Delivery.UNSENT
        self._reason = ""

    @property
    def deadline(self) -> float:
        """When the call must have ended, on the engine's clock; infinite if it has no limit."""
        return self._deadline

    def judge(self, outcome: Outcome, *, now: float, jitter: float) -> float | None:
        """Seconds to wait before the next attempt, or None if the outcome stands."""
        self._attempts += 1
        self._delivery = max(self._delivery, outcome.delivery, key=_WORSE.index)
        if isinstance(outcome, Reply):
            if outcome.is_success:
                return None
            moved = self.operation.moved(outcome)
            if moved is not None:
                self._gone.add(self.operation.request.template)
                self.operation = moved
                return 0.0
        verdict = self._retry.decide(
            self.operation.request,
            outcome,
            attempt=self._attempts,
            jitter=jitter,
            remaining=self._deadline - now,
        )
        if isinstance(verdict, Again):
            return verdict.pause
        self._reason = verdict.reason
        return None

    def request_info(self, attempt: int | None = None) -> RequestInfo:
        """The attempt that is to be made next, or another one."""
        request = self.operation.request
        return RequestInfo(
            method=request.method,
            template=request.template,
            path=request.path,
            attempt=self._attempts + 1 if attempt is None else attempt,
            idempotency_key=self.idempotency_key,
        )

    def response_info(self, outcome: Outcome, *, elapsed: float) -> ResponseInfo:
        """The attempt that was judged last, in so many seconds."""
        reply = outcome if isinstance(outcome, Reply) else None
        return ResponseInfo(
            request=self.request_info(self._attempts),
            status=None if reply is None else reply.status,
            error=None if isinstance(outcome, Reply) else outcome,
            request_id=None if reply is None else self.request_id(reply),
            elapsed=elapsed,
        )

    @property
    def attempts(self) -> int:
        """How often the request was sent until now."""
        return self._attempts

    def parsed(self, outcome: Outcome) -> T:
        """The answer, or the error that the outcome comes to."""
        return self._read(self.success(outcome))

    def resolve(self, outcome: Outcome, *, now: float) -> RawResponse[T]:
        """The answer in its envelope, or the error that the outcome comes to."""
        reply = self.success(outcome)
        return self.envelope(reply, self._read(reply), now=now)

    def envelope(self, reply: Reply, parsed: P, *, now: float) -> RawResponse[P]:
        """What was parsed, in its envelope."""
        return RawResponse(
            parsed=parsed,
            status=reply.status,
            headers=reply.headers,
            request_id=self.request_id(reply),
            attempts=self._attempts,
            elapsed=now - self._started,
        )

    def said(self, reply: Reply, header: str) -> str:
        """A header, fit to be shown; empty if it isn't there."""
        return shown(reply, header, self._api_key)

    def success(self, outcome: Outcome) -> Reply:
        """The same, or the error that it comes to."""
        if isinstance(outcome, TransportError):
            raise self._final(outcome, f"{self.operation.request}: {outcome}")
        if not outcome.is_success:
            error = status_error(
                self.operation.request, outcome, reason=self._reason, key=self._api_key
            )
            raise self._final(error, str(error))
        return outcome

    def out_of_time(self, delivery: Delivery) -> DeadlineError:
        """The outcome of an attempt that the deadline cut off, or left no time for."""
        return DeadlineError(
            f"the whole call took longer than its timeout of {self._total:g} s: raise "
            "Timeout(total=…) if the service needs longer.",
            delivery=delivery,
        )

    def request_id(self, reply: Reply) -> str | None:
        """What the service calls the exchange, fit to be shown; None if it doesn't say."""
        return self.said(reply, "x-request-id") or None

    def closed(self, error: ClientClosedError) -> ClientClosedError:
        """The error for a client that was closed before the next attempt."""
        return self._final(error, f"{self.operation.request}: {error}")

    def _final(self, error: E, message: str) -> E:
        words = message if self._reason in message else f"{message} {self._reason}"
        if self._delivery is Delivery.UNKNOWN and self.operation.request.method not in IDEMPOTENT:
            words += " The service may have acted on it: look before you send it again."
        return error.with_outcome(delivery=self._delivery, attempts=self._attempts, message=words)

    def _read(self, reply: Reply) -> T:
        try:
            return self.operation.read(reply)
        except DecodeError as error:
            # A path may hold names that the service made up.
            undocumented = DecodeError(self._api_key.redact_within(error.faults))
        came = self.said(reply, "content-type")
        final = self._final(
            undocumented,
            f"{self.operation.request} was answered with {reply.status} and "
            f"{came or 'no content type'}, but not as the API documents it: {undocumented}.",
        )
        final.status = reply.status
        final.body = self._api_key.redact(reply.body)
        final.request_id = self.request_id(reply)
        raise final
