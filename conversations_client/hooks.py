"""Hooks: functions that a client calls before and after each attempt, and their arguments.

The arguments contain no API key, headers or bodies.
"""

from collections.abc import Awaitable, Callable

from attrs import field, frozen

from conversations_client._fields import validators

from .errors import TransportError


@frozen(kw_only=True)
class RequestInfo:
    """An attempt that is about to start.

    Attributes:
        method: The HTTP method.
        template: The documented path, such as `/v2/conversations/{conversation_id}`.
        path: The actual path.
        attempt: The number of the attempt, starting at 1.
        idempotency_key: The idempotency key, which is the same for every attempt; None if no key is
            sent.
    """

    method: str
    template: str
    path: str
    attempt: int
    idempotency_key: str | None


@frozen(kw_only=True)
class ResponseInfo:
    """The result of an attempt.

    Attributes:
        request: The attempt.
        status: The HTTP status; None if no complete response arrived.
        error: Why no complete response arrived; None if one did, regardless of its status.
        request_id: The service's ID for the request (`x-request-id`); None if it sent none.
        elapsed: Seconds from the start of the attempt to the end of the response, or to the first
            byte of a stream.
    """

    request: RequestInfo
    status: int | None
    error: TransportError | None
    request_id: str | None
    elapsed: float


@frozen(kw_only=True)
class RetryInfo:
    """A request that is about to be sent again.

    Attributes:
        response: The result of the last attempt.
        pause: Seconds until the next attempt.
    """

    response: ResponseInfo
    pause: float


@frozen(kw_only=True)
class Hooks:
    """Functions that a `Client` calls with one argument before and after attempts.

    An exception in a hook ends the call and propagates to the caller.

    Attributes:
        on_request: Called before each attempt.
        on_response: Called after each attempt, successful or not.
        on_retry: Called before the pause that precedes the next attempt.

    Example:
        def report(retry: RetryInfo) -> None:
            print(f"{retry.response.status}, next attempt in {retry.pause:.1f} s")

        observed = client.with_options(hooks=Hooks(on_retry=report))
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
    """Async functions that an `AsyncClient` calls with one argument before and after attempts.

    An exception in a hook ends the call and propagates to the caller.

    Attributes:
        on_request: Awaited before each attempt.
        on_response: Awaited after each attempt, successful or not.
        on_retry: Awaited before the pause that precedes the next attempt.

    Example:
        async def report(retry: RetryInfo) -> None:
            print(f"{retry.response.status}, next attempt in {retry.pause:.1f} s")

        async with AsyncClient(hooks=AsyncHooks(on_retry=report)) as client:
            await client.conversations.create()
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
