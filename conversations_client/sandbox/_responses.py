"""The operation that streams a response."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing, closing
from itertools import chain
from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from conversations_client.sandbox import _schemas
from conversations_client.sandbox._body import read_body
from conversations_client.sandbox._events import Event, events
from conversations_client.sandbox._idempotency import REPLAYED, Key, read_key
from conversations_client.sandbox._message_schemas import CREATE_RESPONSE
from conversations_client.sandbox._models import prompt, respond
from conversations_client.sandbox._pacing import Pacing
from conversations_client.sandbox._recording import Recording, recorded
from conversations_client.sandbox._routing import CONVERSATION, conversation_id, not_found, route
from conversations_client.sandbox._run import Run
from conversations_client.sandbox._store import Store

_BODY: Final = _schemas.validator(CREATE_RESPONSE)
_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {"Cache-Control": "no-store"}


class Responses:
    """The operation on a conversation's responses."""

    def __init__(self, store: Store, pacing: Pacing) -> None:
        self._store = store
        self._pacing = pacing

    def routes(self) -> list[Route]:
        """List the routes."""
        return [route(f"{CONVERSATION}/responses", POST=self.create)]

    async def create(self, request: Request) -> Response:
        """Store the user's message and stream a response to it."""
        body = await read_body(request, _BODY)
        key = read_key(request, body)
        with self._store.transaction():
            before = None if key is None else recorded(self._store, key)
            if before is not None:
                headers = {**_HEADERS, REPLAYED: "true"}
                return Response(before, headers=headers, media_type=_MEDIA_TYPE)
            run = self._begin(conversation_id(request), body, key)
        return _EventStream(run, self._pacing)

    def _begin(self, conversation: str, body: Mapping[str, Any], key: Key | None) -> Run:
        """Store what the user says, and set the response up."""
        if self._store.find(conversation) is None:
            not_found()
        message, model = body["message"], body["model"]
        parts = cast("Sequence[Mapping[str, object]]", message["parts"])
        user_message = self._store.messages.append(
            conversation, role="user", parts=parts, message_id=message.get("messageId")
        )
        if user_message is None:
            raise HTTPException(409, "There is a message of this messageId already.")
        message_id = self._store.ids.new("msg")
        started = self._started(
            model, body.get("task_id"), userMessageId=user_message.id, assistantMessageId=message_id
        )
        rest = events(respond(model, prompt(parts)), self._store.ids.new)
        return Run(
            self._store,
            conversation_id=conversation,
            message_id=message_id,
            events=chain([started], rest),
            recording=Recording(self._store, key),
        )

    def _started(self, model: str, task_id: str | None, **message_ids: str) -> Event:
        """Name everything that takes part in a response."""
        new_id = self._store.ids.new
        names = {
            "responseId": new_id("resp"),
            "taskId": new_id("task") if task_id is None else task_id,
            "model": model,
            "workflowRunId": new_id("run"),
        }
        return Event("response.started", {**names, **message_ids})


class _EventStream(StreamingResponse):
    """A run over the wire, which ends with its client."""

    media_type = _MEDIA_TYPE

    def __init__(self, run: Run, pacing: Pacing) -> None:
        self._run = run
        self._chunks = run.stream(pacing)
        super().__init__(self._chunks, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with closing(self._run):
            async with aclosing(self._chunks):
                await super().__call__(scope, receive, send)
