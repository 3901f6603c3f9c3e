"""The state of one call from its first attempt to its end. No I/O."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import field, frozen

from conversations_client._base.headers import Headers
from conversations_client._base.secret import Secret
from conversations_client._base.text import web_page_hint, with_request_id
from conversations_client._base.unset import UNSET, Unset
from conversations_client.errors import (
    ClientClosedError,
    ConversationsError,
    DeadlineError,
    DecodeError,
    Delivery,
    TransportError,
    with_outcome,
    worst_delivery,
)
from conversations_client.hooks import RequestInfo, ResponseInfo

from .operation import Operation, Outcome, Reply
from .retry import IDEMPOTENT, Resend, Retry, decide
from .settings import DEFAULT_TOTAL
from .status_errors import readable_header, status_error

T = TypeVar("T")
P = TypeVar("P")
E = TypeVar("E", bound=ConversationsError)


@frozen(kw_only=True)
class RawResponse(Generic[T]):
    """A parsed response with its status, headers and body.

    Example:
        raw = client.conversations.with_raw_response.retrieve(conversation_id)
        assert raw.status == 200 and raw.attempts == 1
        assert raw.headers["content-type"] == "application/json"
        assert raw.body.startswith(b"{")
        assert raw.parsed.display_name == "Refunds"
    """

    parsed: T
    """The parsed response: what the plain method returns."""
    status: int
    """The HTTP status."""
    headers: Headers = field(hash=False, repr=False)
    """The headers, with case-insensitive names."""
    request_id: str | None
    """The service's ID for the request (`x-request-id`); None if it sent none."""
    attempts: int
    """How many times the request was sent."""
    elapsed: float
    """Seconds from the start of the call to the end of the response, including pauses."""
    body: bytes = field(default=b"", repr=False)
    """The raw body after decompression; empty if there is none or if the response is streamed."""


class Call(Generic[T]):
    """The state of one call. An engine reports each outcome and asks what to do next.

    Args:
        operation: What to call.
        retry: The retry settings.
        total: The `Timeout.total` of the call.
        idempotency_key: The idempotency key of every attempt; None for no key.
        api_key: The API key, which must not appear in errors.
        missing_paths: The path templates that don't exist on the service; the call adds to them.
        started: When the call started, on the engine's clock.
        is_collected: Whether the caller waits for the complete response of a stream. If so, a
            total that is set also limits the body. Otherwise, it applies until the head arrives.
    """

    def __init__(
        self,
        operation: Operation[T],
        *,
        retry: Retry,
        total: float | Unset | None,
        idempotency_key: str | None,
        api_key: Secret,
        missing_paths: set[str],
        started: float,
        is_collected: bool,
    ) -> None:
        self.operation = operation.at_known_path(missing_paths)
        self._missing_paths = missing_paths
        self.idempotency_key = idempotency_key
        self._retry = retry
        self._api_key = api_key
        self._started = started
        self.is_body_limited = is_collected and total is not UNSET
        self._total = DEFAULT_TOTAL if total is UNSET else total
        self._deadline = math.inf if self._total is None else started + self._total
        self._attempts = 0
        self._delivery = Delivery.UNSENT
        self._reason = ""
        self.last_reply: Reply | None = None
        """The reply to the last attempt; None if it has none."""

    @property
    def deadline(self) -> float:
        """When the call must end, on the engine's clock; infinite if it has no limit."""
        return self._deadline

    @property
    def attempts(self) -> int:
        """How many times the request has been sent."""
        return self._attempts

    def elapsed(self, now: float) -> float:
        """Seconds since the start of the call."""
        return now - self._started

    def judge(self, outcome: Outcome, *, now: float, jitter: Callable[[], float]) -> float | None:
        """Seconds to wait before the next attempt, or None if the outcome is final."""
        self._attempts += 1
        self._delivery = worst_delivery(self._delivery, outcome.delivery)
        self.last_reply = outcome if isinstance(outcome, Reply) else None
        if isinstance(outcome, Reply):
            if outcome.is_success:
                return None
            alternate = self.operation.at_alternate_path(outcome)
            if alternate is not None:
                self._missing_paths.add(self.operation.request.template)
                self.operation = alternate
                return 0.0
        verdict = decide(
            self._retry,
            self.operation.request,
            outcome,
            attempt=self._attempts,
            jitter=jitter(),
            remaining=self._deadline - now,
        )
        if isinstance(verdict, Resend):
            return verdict.pause
        self._reason = verdict.reason
        return None

    def request_info(self, attempt: int | None = None) -> RequestInfo:
        """The attempt with this number; the next one if None."""
        request = self.operation.request
        return RequestInfo(
            method=request.method,
            template=request.template,
            path=request.path,
            attempt=self._attempts + 1 if attempt is None else attempt,
            idempotency_key=self.idempotency_key,
        )

    def response_info(self, outcome: Outcome, *, elapsed: float) -> ResponseInfo:
        """The result of the last attempt, which took `elapsed` seconds."""
        reply = outcome if isinstance(outcome, Reply) else None
        return ResponseInfo(
            request=self.request_info(self._attempts),
            status=None if reply is None else reply.status,
            error=None if isinstance(outcome, Reply) else outcome,
            request_id=None if reply is None else self.request_id(reply),
            elapsed=elapsed,
        )

    def parsed(self, outcome: Outcome) -> T:
        """The parsed response; raises an error for a failed call."""
        return self._read(self.successful_reply(outcome))

    def resolve(self, outcome: Outcome, *, now: float) -> RawResponse[T]:
        """The parsed response with its headers; raises an error for a failed call."""
        reply = self.successful_reply(outcome)
        return self.raw_response(reply, self._read(reply), now=now)

    def raw_response(self, reply: Reply, parsed: P, *, now: float) -> RawResponse[P]:
        """A parsed response with the status and the headers of its reply."""
        return RawResponse(
            parsed=parsed,
            status=reply.status,
            headers=reply.headers,
            request_id=self.request_id(reply),
            attempts=self._attempts,
            elapsed=self.elapsed(now),
            body=reply.body,
        )

    def header_text(self, reply: Reply, header: str) -> str:
        """A header, readable and without the API key; empty if it is absent."""
        return readable_header(reply, header, self._api_key)

    def request_id(self, reply: Reply) -> str | None:
        """The service's ID for the request, readable; None if it sent none."""
        return self.header_text(reply, "x-request-id") or None

    def successful_reply(self, outcome: Outcome) -> Reply:
        """The outcome if it is a 2xx reply; raises an error otherwise."""
        if isinstance(outcome, TransportError):
            raise self._with_outcome(outcome, f"{self.operation.request}: {outcome}")
        if not outcome.is_success:
            error = status_error(
                self.operation.request, outcome, reason=self._reason, key=self._api_key
            )
            raise self._with_outcome(error, str(error))
        return outcome

    def deadline_error(self, delivery: Delivery) -> DeadlineError:
        """The error for a call that reached its deadline."""
        is_head_only = self.operation.request.streams and not self.is_body_limited
        subject = "the wait for the first byte" if is_head_only else "the whole call"
        return DeadlineError(
            f"{subject} took longer than its timeout of {self._total:g} s: increase "
            "Timeout(total=…) if the service needs longer.",
            delivery=delivery,
        )

    def closed_error(self, error: ClientClosedError) -> ClientClosedError:
        """The error for a call whose client was closed before the next attempt."""
        return self._with_outcome(error, f"{self.operation.request}: {error}")

    def _with_outcome(self, error: E, message: str) -> E:
        text = message if self._reason in message else f"{message} {self._reason}"
        if self._delivery is Delivery.UNKNOWN and self.operation.request.method not in IDEMPOTENT:
            text += " The service may have acted on the request: check before you send it again."
        final = with_outcome(error, delivery=self._delivery, attempts=self._attempts, message=text)
        final.method = self.operation.request.method
        final.template = self.operation.request.template
        return final

    def _read(self, reply: Reply) -> T:
        try:
            return self.operation.read(reply)
        except DecodeError as error:
            # The JSON paths contain names that the service chose.
            unexpected = DecodeError(self._api_key.redact_within(error.faults))
        content_type, request_id = self.header_text(reply, "content-type"), self.request_id(reply)
        message = (
            f"{self.operation.request} returned {reply.status} with "
            f"{content_type or 'no content type'}, which doesn't match the API's documentation: "
            f"{unexpected}.{web_page_hint(content_type)}"
        )
        final = self._with_outcome(unexpected, with_request_id(message, request_id))
        final.status = reply.status
        final.body = self._api_key.redact(reply.body)
        final.request_id = request_id
        raise final
