"""A fake service for unit tests, which returns queued responses and records calls."""

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx

from conversations_client import (
    AsyncClient,
    AsyncHooks,
    Client,
    Hooks,
    Retry,
    StatusError,
    Timeout,
    TransportError,
)
from conversations_client.testing._calls import Call, call_of
from conversations_client.testing._mock_clients import mock_async_client, mock_client
from conversations_client.testing._responses import (
    Answer,
    Failure,
    checked_answer,
    checked_failure,
    failure_response,
    success_response,
)


class FakeService:
    """A fake service for unit tests, without a socket, a server or a thread.

    Its sync and async clients are real: they check arguments, build requests and decode responses.
    Each request gets the next queued response. If the queue is empty, the request raises an
    AssertionError.

    Use it as a context manager to also check that every queued response was used: unless the block
    raises an exception, leaving it raises an AssertionError if any responses are still pending.

    Example:
        with FakeService() as fake:
            fake.answer(factories.conversation(display_name="Refunds"))
            assert fake.client().conversations.create(display_name="Refunds").id is not None
        assert fake.calls == (CreateCall(display_name="Refunds"),)
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._queue: deque[Answer | Failure] = deque()

    def __repr__(self) -> str:
        return f"<FakeService: calls={len(self._calls)}, pending={len(self._queue)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None and self._queue:
            raise AssertionError(
                f"The fake service has queued responses that no call used: {self.pending!r}."
            )

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls so far, in order. Each page of a listing and each retry is a separate call.

        Example:
            fake = FakeService()
            fake.answer(factories.page(), None)
            client = fake.client()
            assert list(client.conversations.list(limit=20)) == []
            client.conversations.delete("conv_1")
            assert fake.calls == (ListCall(limit=20), DeleteCall(conversation_id="conv_1"))
        """
        return tuple(self._calls)

    @property
    def pending(self) -> tuple[Answer | Failure, ...]:
        """The queued responses and failures that have not been used yet, in order.

        Example:
            fake = FakeService()
            fake.answer(factories.conversation())
            fake.client().conversations.create()
            assert fake.pending == ()  # every answer was used
        """
        return tuple(self._queue)

    def answer(self, *answers: Answer) -> None:
        """Queue responses for the next calls.

        Args:
            *answers: A response for each call: a `Conversation`, a `ConversationWithMessages`, a
                `ConversationPage`, None for a deletion, a `Response` or a list of events for a
                response (streamed or not), or a mapping, which is sent as JSON. A list of events
                can end with a `TransportError` or its class. The stream breaks there, so the call
                raises a `StreamTruncatedError` with this error as its `reason`.

        Raises:
            TypeError: An argument is not a valid response.

        Example:
            fake = FakeService()
            fake.answer(factories.conversation(), factories.response(text="In Settings."))
            client = fake.client()
            conversation = client.conversations.create()
            response = client.conversations.responses.create(
                conversation, message="Where is the export?", model="openai/gpt-4o"
            )
            assert response.text == "In Settings."
        """
        self._queue.extend([checked_answer(answer) for answer in answers])

    def fail(self, failure: Failure | type[Failure]) -> None:
        """Queue a failure for the next call.

        Args:
            failure: A `StatusError`, such as `factories.status_error(RateLimitError)`, or a
                `TransportError`, such as `factories.transport_error(ConnectError)`, or just the
                class. The client raises an error of the same class with the same content.

        Raises:
            TypeError: `failure` is not one of these errors. For a stream that fails after it has
                begun, queue a list of events with `answer`.

        Example:
            fake = FakeService()
            fake.fail(factories.status_error(RateLimitError, retry_after=30))
            try:
                fake.client().conversations.create()
            except RateLimitError as error:
                assert error.retry_after == 30
        """
        self._queue.append(checked_failure(failure))

    def client(
        self,
        *,
        project_id: str | None = None,
        retry: Retry = Retry(attempts=1),  # noqa: B008 - frozen
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        extra_headers: Mapping[str, str] | None = None,
        max_response_bytes: int = 67_108_864,
        max_event_bytes: int = 16_777_216,
        hooks: Hooks | None = None,
    ) -> Client:
        """Create a client for this service.

        Args:
            project_id: The project for calls that don't specify one. Default: no project; the
                environment is ignored.
            retry: When to retry a request. Default: never. The pauses between attempts are real;
                with `Retry(wait_initial=0)`, there are none, except after a `Retry-After`.
            timeout: How long a call may take. Default: as in `Client`.
            extra_headers: As in `Client`.
            max_response_bytes: As in `Client`.
            max_event_bytes: As in `Client`.
            hooks: As in `Client`.

        Example:
            fake = FakeService()
            fake.fail(factories.status_error(RateLimitError, retry_after=0))
            fake.answer(factories.conversation())
            fake.client(retry=Retry(wait_initial=0)).conversations.create()
            assert len(fake.calls) == 2
        """
        return mock_client(
            self.http_client(),
            project_id=project_id,
            retry=retry,
            timeout=timeout,
            extra_headers=extra_headers,
            max_response_bytes=max_response_bytes,
            max_event_bytes=max_event_bytes,
            hooks=hooks,
        )

    def async_client(
        self,
        *,
        project_id: str | None = None,
        retry: Retry = Retry(attempts=1),  # noqa: B008 - frozen
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        extra_headers: Mapping[str, str] | None = None,
        max_response_bytes: int = 67_108_864,
        max_event_bytes: int = 16_777_216,
        hooks: AsyncHooks | None = None,
    ) -> AsyncClient:
        """Create an async client for this service.

        Args:
            project_id: The project for calls that don't specify one. Default: no project; the
                environment is ignored.
            retry: When to retry a request. Default: never. The pauses between attempts are real;
                with `Retry(wait_initial=0)`, there are none, except after a `Retry-After`.
            timeout: How long a call may take. Default: as in `AsyncClient`.
            extra_headers: As in `AsyncClient`.
            max_response_bytes: As in `AsyncClient`.
            max_event_bytes: As in `AsyncClient`.
            hooks: As in `AsyncClient`.

        Example:
            fake = FakeService()
            fake.answer(factories.conversation())
            async with fake.async_client(project_id="prj_1") as client:
                await client.conversations.create()
            assert fake.calls == (CreateCall(project_id="prj_1"),)
        """
        return mock_async_client(
            self.async_http_client(),
            project_id=project_id,
            retry=retry,
            timeout=timeout,
            extra_headers=extra_headers,
            max_response_bytes=max_response_bytes,
            max_event_bytes=max_event_bytes,
            hooks=hooks,
        )

    def http_client(self) -> httpx.Client:
        """Create an httpx client for this service, to pass to your own `Client`.

        Example:
            fake = FakeService()
            fake.answer(factories.conversation(display_name="Refunds"))
            client = Client("any-key", project_id="prj_1", http_client=fake.http_client())
            assert client.conversations.create().display_name == "Refunds"
            assert fake.calls == (CreateCall(project_id="prj_1"),)
        """
        return httpx.Client(transport=httpx.MockTransport(self._handle))

    def async_http_client(self) -> httpx.AsyncClient:
        """Create an async httpx client for this service, to pass to your own `AsyncClient`.

        Example:
            fake = FakeService()
            fake.answer(None)
            http_client = fake.async_http_client()
            async with AsyncClient("any-key", http_client=http_client) as client:
                await client.conversations.delete("conv_1")
            assert fake.calls == (DeleteCall(conversation_id="conv_1"),)
        """
        return httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        call = call_of(request)
        self._calls.append(call)
        response = self._next_response(call)
        response.headers.setdefault("X-Request-Id", f"req_{len(self._calls)}")
        return response

    def _next_response(self, call: Call) -> httpx.Response:
        if not self._queue:
            raise AssertionError(
                f"The fake service has no response queued for {call!r}. Call answer(…) first."
            )
        queued = self._queue.popleft()
        if isinstance(queued, StatusError | TransportError):
            return failure_response(queued)
        return success_response(call, queued)
