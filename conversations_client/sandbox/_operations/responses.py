"""The operation that creates and streams a response."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing, closing
from itertools import chain
from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from conversations_client.sandbox._replies.events import Event, events
from conversations_client.sandbox._replies.models import TOOL_MODEL, respond, tool_results
from conversations_client.sandbox._replies.pacing import Pacing
from conversations_client.sandbox._replies.reply import Reply
from conversations_client.sandbox._schemas.requests import Schema, validator
from conversations_client.sandbox._storage.store import Store

from .idempotency import REPLAYED, Key, read_key
from .request_body import read_conversation_body
from .routes import CONVERSATION, conversation_id, not_found, route
from .stream_recorder import StreamRecorder, recorded_stream
from .tool_results import check_tool_results

_MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {"Cache-Control": "no-store"}


class Responses:
    """The operation that creates a response in a conversation."""

    def __init__(self, store: Store, pacing: Pacing, schema: Schema) -> None:
        self._store = store
        self._pacing = pacing
        self._validator = validator(schema)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [route(f"{CONVERSATION}/responses", POST=self.create)]

    async def create(self, request: Request) -> Response:
        """Store the user's message and stream the response."""
        body = await read_conversation_body(request, self._validator, self._store)
        key = read_key(request, body)
        with self._store.transaction():
            recorded = None if key is None else recorded_stream(self._store, key)
            if recorded is not None:
                headers = {**_HEADERS, REPLAYED: "true"}
                return Response(recorded, headers=headers, media_type=_MEDIA_TYPE)
            reply = self._prepare(conversation_id(request), body, key)
        return _EventStream(reply, self._pacing)

    def _prepare(self, conversation: str, body: Mapping[str, Any], key: Key | None) -> Reply:
        """Store the user's message and prepare the reply."""
        if self._store.conversations.find(conversation) is None:
            not_found()
        self._accept_tool_results(conversation, body)
        message, model = body["message"], body["model"]
        parts = cast("Sequence[Mapping[str, object]]", message["parts"])
        user_message = self._store.messages.append(
            conversation, role="user", parts=parts, message_id=message.get("messageId")
        )
        if user_message is None:
            raise HTTPException(409, "A message with this messageId already exists.")
        message_id = self._store.ids.new("msg")
        started = self._first_event(
            model, body.get("task_id"), userMessageId=user_message.id, assistantMessageId=message_id
        )
        rest = events(respond(model, parts), self._store.ids.new)
        return Reply(
            self._store,
            conversation_id=conversation,
            message_id=message_id,
            task_id=str(started.data["taskId"]),
            events=chain([started], rest),
            recorder=StreamRecorder(self._store, key),
        )

    def _accept_tool_results(self, conversation: str, body: Mapping[str, Any]) -> None:
        """Check the tool results for a model that reads them; their calls are no longer pending."""
        calls = self._store.tool_calls
        if body["model"] == TOOL_MODEL:
            check_tool_results(body, calls.of(conversation))
        results = tool_results(body["message"]["parts"])
        calls.remove(conversation, [result["tool_call_id"] for result in results])

    def _first_event(self, model: str, task_id: str | None, **message_ids: str) -> Event:
        """Build the first event, with the IDs of the response."""
        new_id = self._store.ids.new
        ids = {
            "responseId": new_id("resp"),
            "taskId": new_id("task") if task_id is None else task_id,
            "model": model,
            "workflowRunId": new_id("run"),
        }
        return Event("response.started", {**ids, **message_ids})


class _EventStream(StreamingResponse):
    """Sends a reply until it ends or the client disconnects."""

    media_type = _MEDIA_TYPE

    def __init__(self, reply: Reply, pacing: Pacing) -> None:
        self._reply = reply
        self._chunks = reply.stream(pacing)
        super().__init__(self._chunks, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with closing(self._reply):
            async with aclosing(self._chunks):
                await super().__call__(scope, receive, send)
