"""`client.conversations.responses`: what people call, in both colours."""

from collections.abc import Sequence
from typing import cast

from conversations_client._base.unset import UNSET, Unset
from conversations_client._calls import endpoints
from conversations_client._engine.async_engine import AsyncEngine
from conversations_client._engine.engine import Engine
from conversations_client.messages import RequestPart, UserMessage
from conversations_client.responses import Response

from .raw import raw, raw_async
from .streams import AsyncStream, Stream


class Responses:
    """The responses of conversations, as `client.conversations.responses`."""

    def __init__(self, engine: Engine, *, are_enveloped: bool = False) -> None:
        self._engine = engine
        self._are_enveloped = are_enveloped

    @property
    def with_raw_response(self) -> "RawResponses":
        """The same call, its answer in its envelope (status, headers, request id, attempts)."""
        return RawResponses(self._engine)

    def create(
        self,
        conversation_id: str,
        *,
        message: str | UserMessage | Sequence[str | RequestPart],
        model: str,
        task_id: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Response:
        """Say something and wait for all of the answer.

        It is streamed inside (`POST /v2/conversations/{conversation_id}/responses`), so there is
        no limit on how long it takes, as long as something comes every `Timeout.idle` seconds.

        Args:
            conversation_id: The conversation, `conv_…`.
            message: What to say: a string, or several strings and parts (`TextPart`, `FilePart`,
                `ToolResultPart`, `ErrorPart`), or a `UserMessage`.
            model: What is to answer, as `provider/model_id`.
            task_id: The task that the response belongs to; the service makes one up if left out.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The whole response.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No answer came.
            StatusError: The service refused or failed before the first event.
            ResponseFailedError: The service says that the response failed.
            StreamTruncatedError: The stream ended before the response did, or can't be read.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            ClientClosedError: The client is closed.
        """
        with self.stream(
            conversation_id,
            message=message,
            model=model,
            task_id=task_id,
            idempotency_key=idempotency_key,
        ) as stream:
            response = stream.collect()
            return _enveloped(stream, response) if self._are_enveloped else response

    def stream(
        self,
        conversation_id: str,
        *,
        message: str | UserMessage | Sequence[str | RequestPart],
        model: str,
        task_id: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Stream:
        """Say something and take the answer as it comes, event by event.

        The request (`POST /v2/conversations/{conversation_id}/responses`) is sent when the stream's
        `with` block is entered. `Timeout.total` bounds the wait for the first byte, and
        `Timeout.idle` each silence after it.

        Args:
            conversation_id: The conversation, `conv_…`.
            message: What to say: a string, or several strings and parts (`TextPart`, `FilePart`,
                `ToolResultPart`, `ErrorPart`), or a `UserMessage`.
            model: What is to answer, as `provider/model_id`.
            task_id: The task that the response belongs to; the service makes one up if left out.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The stream, to be used in a `with` block.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
        """
        operation = endpoints.create_response(
            conversation_id,
            message=message,
            model=model,
            task_id=task_id,
            idempotency_key=idempotency_key,
        )
        return Stream(lambda: self._engine.open(operation), limit=self._engine.max_event_bytes)


class RawResponses:
    """The same call, its answer in its envelope (`RawResponse`)."""

    def __init__(self, engine: Engine) -> None:
        self._same = Responses(engine, are_enveloped=True)

    @raw(Responses.create)
    def create(self) -> Responses:
        return self._same


class AsyncResponses:
    """The responses of conversations, as `client.conversations.responses`."""

    def __init__(self, engine: AsyncEngine, *, are_enveloped: bool = False) -> None:
        self._engine = engine
        self._are_enveloped = are_enveloped

    @property
    def with_raw_response(self) -> "AsyncRawResponses":
        """The same call, its answer in its envelope (status, headers, request id, attempts)."""
        return AsyncRawResponses(self._engine)

    async def create(
        self,
        conversation_id: str,
        *,
        message: str | UserMessage | Sequence[str | RequestPart],
        model: str,
        task_id: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> Response:
        """Say something and wait for all of the answer.

        It is streamed inside (`POST /v2/conversations/{conversation_id}/responses`), so there is
        no limit on how long it takes, as long as something comes every `Timeout.idle` seconds.

        Args:
            conversation_id: The conversation, `conv_…`.
            message: What to say: a string, or several strings and parts (`TextPart`, `FilePart`,
                `ToolResultPart`, `ErrorPart`), or a `UserMessage`.
            model: What is to answer, as `provider/model_id`.
            task_id: The task that the response belongs to; the service makes one up if left out.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The whole response.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No answer came.
            StatusError: The service refused or failed before the first event.
            ResponseFailedError: The service says that the response failed.
            StreamTruncatedError: The stream ended before the response did, or can't be read.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            ClientClosedError: The client is closed.
        """
        async with self.stream(
            conversation_id,
            message=message,
            model=model,
            task_id=task_id,
            idempotency_key=idempotency_key,
        ) as stream:
            response = await stream.collect()
            return _enveloped(stream, response) if self._are_enveloped else response

    def stream(
        self,
        conversation_id: str,
        *,
        message: str | UserMessage | Sequence[str | RequestPart],
        model: str,
        task_id: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> AsyncStream:
        """Say something and take the answer as it comes, event by event.

        The request (`POST /v2/conversations/{conversation_id}/responses`) is sent when the stream's
        `with` block is entered. `Timeout.total` bounds the wait for the first byte, and
        `Timeout.idle` each silence after it.

        Args:
            conversation_id: The conversation, `conv_…`.
            message: What to say: a string, or several strings and parts (`TextPart`, `FilePart`,
                `ToolResultPart`, `ErrorPart`), or a `UserMessage`.
            model: What is to answer, as `provider/model_id`.
            task_id: The task that the response belongs to; the service makes one up if left out.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The stream, to be used in a `with` block.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
        """
        operation = endpoints.create_response(
            conversation_id,
            message=message,
            model=model,
            task_id=task_id,
            idempotency_key=idempotency_key,
        )
        return AsyncStream(lambda: self._engine.open(operation), limit=self._engine.max_event_bytes)


class AsyncRawResponses:
    """The same call, its answer in its envelope (`RawResponse`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._same = AsyncResponses(engine, are_enveloped=True)

    @raw_async(AsyncResponses.create)
    def create(self) -> AsyncResponses:
        return self._same


def _enveloped(stream: Stream | AsyncStream, response: Response) -> Response:
    # What it is typed as is said by whoever asked for envelopes.
    return cast("Response", stream.envelope(response))
