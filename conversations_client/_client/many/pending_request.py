"""A request of a window from its first attempt to its last, and the error that results. No I/O."""

from typing import Any

from attrs import evolve, frozen

from conversations_client._base.text import with_request_id
from conversations_client._calls.operation import Operation
from conversations_client.errors import (
    ConversationsError,
    Delivery,
    StatusError,
    with_outcome,
    worst_delivery,
)


@frozen(eq=False)
class PendingRequest:
    """A request that has no outcome yet.

    Attributes:
        index: The position of its item, starting at 0.
        item: The item that the caller passed.
        operation: The call, which is the same for every attempt.
        attempts: How many times the request was sent.
        delivery: The most severe delivery among all attempts.
        refusals: How many times in a row the service throttled it without accepting any others.
        accepted_before: How many requests the service had accepted when it last throttled this one.
        error: The error from the last attempt; None before the first.
    """

    index: int
    item: object
    operation: Operation[Any]
    attempts: int = 0
    delivery: Delivery = Delivery.UNSENT
    refusals: int = 0
    accepted_before: int = -1
    error: ConversationsError | None = None

    def after(self, error: ConversationsError) -> "PendingRequest":
        """The request after another failed attempt."""
        return evolve(
            self,
            attempts=self.attempts + error.attempts,
            delivery=worst_delivery(self.delivery, error.delivery),
            error=error,
        )

    def refused(self, accepted: int) -> "PendingRequest":
        """The request after the service throttled it; `accepted` is the number of accepted ones."""
        # If the service accepts other requests in between, it is busy, but isn't rejecting this
        # one.
        refusals = self.refusals + 1 if self.accepted_before == accepted else 1
        return evolve(self, refusals=refusals, accepted_before=accepted)

    def final_error(self, error: ConversationsError, reason: str = "") -> ConversationsError:
        """The error with the result of all attempts."""
        message = f"{error} {reason}".rstrip()
        return with_outcome(error, delivery=self.delivery, attempts=self.attempts, message=message)

    def unsent_error(self, error: StatusError, retry_after: float, reason: str) -> StatusError:
        """The error of a request that is not sent because of the response to another request.

        Args:
            error: The error for that response.
            retry_after: Seconds until the service accepts requests again.
            reason: Why the request doesn't wait that long.
        """
        unsent = "not sent again" if self.attempts else "not sent"
        text = f"{self.operation.request}: {unsent}, because the service is throttling. {reason}"
        request_id = None if self.error is None else self.error.request_id
        message = with_request_id(text.rstrip(), request_id)
        final = with_outcome(error, delivery=self.delivery, attempts=self.attempts, message=message)
        # The other request may be for a different operation.
        final.method = self.operation.request.method
        final.template = self.operation.request.template
        final.retry_after = retry_after
        final.request_id = request_id
        return final
