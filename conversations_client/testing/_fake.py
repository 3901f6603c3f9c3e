"""A service that answers as it was told, without a socket, and keeps the calls."""

from collections import deque

import httpx

from conversations_client import AsyncClient, Client, Retry, StatusError, TransportError
from conversations_client.testing._answers import Answer, Failure, answered, failed
from conversations_client.testing._calls import Call, call_of
from conversations_client.testing._in_memory import async_client_of, client_of


class FakeService:
    """A fake of the service for unit tests: no socket, no server, no thread.

    Its clients are real, sync or async: they check arguments, build requests and decode responses.
    Each request takes the next planned answer. A request without one raises an AssertionError.

    Example:
        fake = FakeService()
        fake.answer(factories.conversation(display_name="Refunds"))
        assert fake.client().conversations.create(display_name="Refunds").id is not None
        assert fake.calls == (CreateCall(display_name="Refunds"),)
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._planned: deque[Answer | Failure] = deque()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that were made, in order; each page of a listing is one, each retry another."""
        return tuple(self._calls)

    @property
    def pending(self) -> tuple[Answer | Failure, ...]:
        """The answers and failures that no call has taken yet, in order."""
        return tuple(self._planned)

    def answer(self, *answers: Answer) -> None:
        """Answer the next calls.

        Args:
            *answers: One for each: a `Conversation`, a `ConversationWithMessages`, a
                `ConversationPage`, None for a deletion, a `Response` or a list of events for a
                response (streamed or not), or a mapping, which is JSON as it is.
        """
        self._planned.extend(answers)

    def fail(self, failure: Failure) -> None:
        """Fail the next call.

        Args:
            failure: A `StatusError`, such as `factories.status_error(RateLimitError)`, or a
                `TransportError`, such as `ConnectError("no network")`. What the client raises is
                like it, but its own.
        """
        self._planned.append(failure)

    def client(
        self,
        *,
        project_id: str | None = None,
        retry: Retry = Retry(attempts=1),  # noqa: B008 - frozen
    ) -> Client:
        """A client of this service.

        Args:
            project_id: The project of conversations where a call names none; the environment has
                no say.
            retry: How often a request is sent again; never, if left out. Its pauses are real:
                `Retry(wait_initial=0)` makes none, but for a `Retry-After`.
        """
        return client_of(self._handle, project_id=project_id, retry=retry)

    def async_client(
        self,
        *,
        project_id: str | None = None,
        retry: Retry = Retry(attempts=1),  # noqa: B008 - frozen
    ) -> AsyncClient:
        """An async client of this service.

        Args:
            project_id: The project of conversations where a call names none; the environment has
                no say.
            retry: How often a request is sent again; never, if left out. Its pauses are real:
                `Retry(wait_initial=0)` makes none, but for a `Retry-After`.
        """
        return async_client_of(self._handle, project_id=project_id, retry=retry)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        call = call_of(request)
        self._calls.append(call)
        response = self._next_answer(call)
        response.headers.setdefault("X-Request-Id", f"req_{len(self._calls)}")
        return response

    def _next_answer(self, call: Call) -> httpx.Response:
        if not self._planned:
            raise AssertionError(f"The fake has no answer to {call!r}: call answer(…) before.")
        planned = self._planned.popleft()
        if isinstance(planned, StatusError | TransportError):
            return failed(planned)
        return answered(call, planned)
