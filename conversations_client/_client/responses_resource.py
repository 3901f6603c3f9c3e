"""`client.conversations.responses`, sync and async."""

from collections.abc import Mapping
from typing import cast

from conversations_client._base.cached_attribute import cached_attribute
from conversations_client._base.unset import UNSET, Unset
from conversations_client._calls import endpoints
from conversations_client._calls.call_options import with_options
from conversations_client._calls.operation import Operation
from conversations_client._calls.settings import Timeout
from conversations_client._engine.async_engine import AsyncEngine
from conversations_client._engine.engine import Engine
from conversations_client.messages import MessageInput
from conversations_client.models import Conversation
from conversations_client.responses import Response

from .raw_methods import raw, raw_async
from .resource import Resource
from .streams import AsyncStream, Stream


class Responses(Resource[Engine]):
    """The operations on responses, available as `client.conversations.responses`.

    Example:
        response = client.conversations.responses.create(
            conversation_id, message="How do I get a refund?", model="sandbox/echo"
        )
        print(response.text)
    """

    def __init__(self, engine: Engine, *, is_raw: bool = False) -> None:
        self._engine = engine
        self._is_raw = is_raw

    @cached_attribute
    def with_raw_response(self) -> "RawResponses":
        """A `create` method that returns a `RawResponse`.

        A `RawResponse` also has the status, the headers, the request ID and the number of attempts.
        """
        return RawResponses(self._engine)

    def create(
        self,
        conversation_id: str | Conversation,
        *,
        message: MessageInput,
        model: str,
        task_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a message and wait for the complete response.

        The response is streamed internally (`POST
        /v2/conversations/{conversation_id}/responses`). If `Timeout.total` is set, on the client or
        for this call, it limits the complete response. Otherwise, the response may take any amount
        of time, as long as it begins within 60 s and data arrives at least every `Timeout.idle`
        seconds.

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            message: A string, a part (`TextPart`, `FilePart`, `ToolResultPart`, `ErrorPart`), a
                list of strings and parts, or a `UserMessage`.
            model: The model that responds, as `provider/model_id`.
            task_id: The task that the response belongs to. If you omit it or pass None, the
                service creates one.
            idempotency_key: A key of 1 to 255 visible ASCII characters that lets the service
                recognize a repeat of this request. Default: a random one.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The complete response.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No response arrived.
            StatusError: The service rejected the request or failed before the first event.
            ResponseFailedError: The service reports that the response failed.
            StreamTruncatedError: The stream is invalid, or ended before the response was complete;
                or time ran out, in which case `reason` is a `DeadlineError`.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            ClientClosedError: The client is closed.

        Example:
            response = client.conversations.responses.create(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            )
            print(response.text, response.finish_reason)
        """
        operation = with_options(
            endpoints.create_response(
                conversation_id,
                message=message,
                model=model,
                task_id=task_id,
                idempotency_key=idempotency_key,
            ),
            timeout=timeout,
            extra_headers=extra_headers,
        )
        with self._stream(operation, is_collected=True) as stream:
            response = stream.collect()
            return _raw_response(stream, response) if self._is_raw else response

    def stream(
        self,
        conversation_id: str | Conversation,
        *,
        message: MessageInput,
        model: str,
        task_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Stream:
        """Send a message and read the response as it arrives, event by event.

        The request (`POST /v2/conversations/{conversation_id}/responses`) is sent when the stream's
        `with` block is entered. `Timeout.total`, 60 s unless you set it, limits the wait for the
        first byte, and `Timeout.idle` limits each later wait.

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            message: A string, a part (`TextPart`, `FilePart`, `ToolResultPart`, `ErrorPart`), a
                list of strings and parts, or a `UserMessage`.
            model: The model that responds, as `provider/model_id`.
            task_id: The task that the response belongs to. If you omit it or pass None, the
                service creates one.
            idempotency_key: A key of 1 to 255 visible ASCII characters that lets the service
                recognize a repeat of this request. Default: a random one.
            timeout: The limits for this call: a `Timeout`, a number of seconds until the first
                byte, or None for no limit until the first byte. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The stream. Use it in a `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.

        Example:
            with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                for event in stream:
                    print(event.type)
        """
        operation = with_options(
            endpoints.create_response(
                conversation_id,
                message=message,
                model=model,
                task_id=task_id,
                idempotency_key=idempotency_key,
            ),
            timeout=timeout,
            extra_headers=extra_headers,
        )
        return self._stream(operation)

    def _stream(self, operation: Operation[None], *, is_collected: bool = False) -> Stream:
        self._engine.check(operation)
        return Stream(
            lambda: self._engine.open(operation, is_collected=is_collected),
            operation.request,
            limit=self._engine.max_event_bytes,
        )


class RawResponses(Resource[Engine]):
    """The methods of the resource; each returns a `RawResponse`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._resource = Responses(engine, is_raw=True)

    @raw(Responses.create)
    def create(self) -> Responses:
        return self._resource


class AsyncResponses(Resource[AsyncEngine]):
    """The operations on responses, available as `client.conversations.responses`.

    Example:
        response = await client.conversations.responses.create(
            conversation_id, message="How do I get a refund?", model="sandbox/echo"
        )
        print(response.text)
    """

    def __init__(self, engine: AsyncEngine, *, is_raw: bool = False) -> None:
        self._engine = engine
        self._is_raw = is_raw

    @cached_attribute
    def with_raw_response(self) -> "AsyncRawResponses":
        """A `create` method that returns a `RawResponse`.

        A `RawResponse` also has the status, the headers, the request ID and the number of attempts.
        """
        return AsyncRawResponses(self._engine)

    async def create(
        self,
        conversation_id: str | Conversation,
        *,
        message: MessageInput,
        model: str,
        task_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a message and wait for the complete response.

        The response is streamed internally (`POST
        /v2/conversations/{conversation_id}/responses`). If `Timeout.total` is set, on the client or
        for this call, it limits the complete response. Otherwise, the response may take any amount
        of time, as long as it begins within 60 s and data arrives at least every `Timeout.idle`
        seconds.

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            message: A string, a part (`TextPart`, `FilePart`, `ToolResultPart`, `ErrorPart`), a
                list of strings and parts, or a `UserMessage`.
            model: The model that responds, as `provider/model_id`.
            task_id: The task that the response belongs to. If you omit it or pass None, the
                service creates one.
            idempotency_key: A key of 1 to 255 visible ASCII characters that lets the service
                recognize a repeat of this request. Default: a random one.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The complete response.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No response arrived.
            StatusError: The service rejected the request or failed before the first event.
            ResponseFailedError: The service reports that the response failed.
            StreamTruncatedError: The stream is invalid, or ended before the response was complete;
                or time ran out, in which case `reason` is a `DeadlineError`.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            ClientClosedError: The client is closed.

        Example:
            response = await client.conversations.responses.create(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            )
            print(response.text, response.finish_reason)
        """
        operation = with_options(
            endpoints.create_response(
                conversation_id,
                message=message,
                model=model,
                task_id=task_id,
                idempotency_key=idempotency_key,
            ),
            timeout=timeout,
            extra_headers=extra_headers,
        )
        async with self._stream(operation, is_collected=True) as stream:
            response = await stream.collect()
            return _raw_response(stream, response) if self._is_raw else response

    def stream(
        self,
        conversation_id: str | Conversation,
        *,
        message: MessageInput,
        model: str,
        task_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncStream:
        """Send a message and read the response as it arrives, event by event.

        The request (`POST /v2/conversations/{conversation_id}/responses`) is sent when the stream's
        `with` block is entered. `Timeout.total`, 60 s unless you set it, limits the wait for the
        first byte, and `Timeout.idle` limits each later wait.

        Args:
            conversation_id: The conversation, or its ID, `conv_…`.
            message: A string, a part (`TextPart`, `FilePart`, `ToolResultPart`, `ErrorPart`), a
                list of strings and parts, or a `UserMessage`.
            model: The model that responds, as `provider/model_id`.
            task_id: The task that the response belongs to. If you omit it or pass None, the
                service creates one.
            idempotency_key: A key of 1 to 255 visible ASCII characters that lets the service
                recognize a repeat of this request. Default: a random one.
            timeout: The limits for this call: a `Timeout`, a number of seconds until the first
                byte, or None for no limit until the first byte. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The stream. Use it in a `with` block.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.

        Example:
            async with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                async for event in stream:
                    print(event.type)
        """
        operation = with_options(
            endpoints.create_response(
                conversation_id,
                message=message,
                model=model,
                task_id=task_id,
                idempotency_key=idempotency_key,
            ),
            timeout=timeout,
            extra_headers=extra_headers,
        )
        return self._stream(operation)

    def _stream(self, operation: Operation[None], *, is_collected: bool = False) -> AsyncStream:
        self._engine.check(operation)
        return AsyncStream(
            lambda: self._engine.open(operation, is_collected=is_collected),
            operation.request,
            limit=self._engine.max_event_bytes,
        )


class AsyncRawResponses(Resource[AsyncEngine]):
    """The methods of the resource; each returns a `RawResponse`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._resource = AsyncResponses(engine, is_raw=True)

    @raw_async(AsyncResponses.create)
    def create(self) -> AsyncResponses:
        return self._resource


def _raw_response(stream: Stream | AsyncStream, response: Response) -> Response:
    # The methods of RawResponses have the right return type.
    return cast("Response", stream.envelope(response))
