"""What a client tells of each attempt, and to whom.

The values hold no key, no header and no body.
"""

from collections.abc import Awaitable, Callable

from attrs import field, frozen

from conversations_client._fields import validators

from .errors import TransportError


@frozen(kw_only=True)
class RequestInfo:
    """An attempt that is about to be made.

    Attributes:
        method: The HTTP method.
        template: The path as the API documents it, such as `/v2/conversations/{conversation_id}`.
        path: The path that is sent.
        attempt: Which attempt of the call it is, from 1.
        idempotency_key: The same on every attempt of the call; None where none is sent.
    """

    method: str
    template: str
    path: str
    attempt: int
    idempotency_key: str | None


@frozen(kw_only=True)
class ResponseInfo:
    """How an attempt ended.

    Attributes:
        request: The attempt.
        status: The HTTP status; None if no complete answer came.
        error: Why no complete answer came; None if one did, whatever its status.
        request_id: What the service calls the exchange (`x-request-id`); None if it didn't say.
        elapsed: Seconds from the attempt's start to the end of the answer, or to the first byte of
            a stream.
    """

    request: RequestInfo
    status: int | None
    error: TransportError | None
    request_id: str | None
    elapsed: float


@frozen(kw_only=True)
class RetryInfo:
    """An attempt that is made again.

    Attributes:
        response: How the last one ended.
        pause: Seconds until the next one.
    """

    response: ResponseInfo
    pause: float


@frozen(kw_only=True)
class Hooks:
    """Functions that a `Client` calls, each with one value; what one raises ends the call.

    Attributes:
        on_request: Called before each attempt.
        on_response: Called when an attempt has ended, well or not.
        on_retry: Called before the pause that another attempt follows.
    """

    on_request: Callable[[RequestInfo], object] | None = field(
        default=None, validator=validators.plain_function
    )
    on_response: Callable[[ResponseInfo], object] | None = field(
        default=None, validator=validators.plain_function
    )
    on_retry: Callable[[RetryInfo], object] | None = field(
        default=None, validator=validators.plain_function
    )


@frozen(kw_only=True)
class AsyncHooks:
    """Async functions that an `AsyncClient` awaits, each with one value.

    What one raises ends the call.

    Attributes:
        on_request: Awaited before each attempt.
        on_response: Awaited when an attempt has ended, well or not.
        on_retry: Awaited before the pause that another attempt follows.
    """

    on_request: Callable[[RequestInfo], Awaitable[object]] | None = field(
        default=None, validator=validators.function
    )
    on_response: Callable[[ResponseInfo], Awaitable[object]] | None = field(
        default=None, validator=validators.function
    )
    on_retry: Callable[[RetryInfo], Awaitable[object]] | None = field(
        default=None, validator=validators.function
    )
