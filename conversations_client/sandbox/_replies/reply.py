"""Streams a reply and stores its message."""

from collections.abc import AsyncGenerator, Iterator
from typing import Final, Protocol

from conversations_client.sandbox._storage.store import Store

from .events import LAST_EVENTS, Event, failed, pending_call_ids, server_sent
from .pacing import Pacing
from .transcript import Transcript

_STOPPED: Final = failed("The sandbox is stopping.", 503)


class Recorder(Protocol):
    """Records the bytes of a stream."""

    def record(self, chunk: bytes) -> None:
        """Record the next bytes."""
        ...

    def finish(self) -> None:
        """Mark the stream as complete."""
        ...


class Reply:
    """A reply that is being streamed. Its message is stored when the reply ends, for any reason."""

    def __init__(
        self,
        store: Store,
        *,
        conversation_id: str,
        message_id: str,
        task_id: str,
        events: Iterator[Event],
        recorder: Recorder,
    ) -> None:
        """Prepare a reply.

        Args:
            store: The store for the assistant's message.
            conversation_id: The conversation's ID.
            message_id: The message's ID.
            task_id: The ID of the reply's task.
            events: All events of the reply.
            recorder: Records the stream.
        """
        self._store = store
        self._conversation_id = conversation_id
        self._message_id = message_id
        self._task_id = task_id
        self._events = events
        self._recorder = recorder
        self._transcript = Transcript()
        self._pending_calls: list[str] = []
        self._ended = False

    async def stream(self, pacing: Pacing) -> AsyncGenerator[bytes, None]:
        """Stream the reply.

        Args:
            pacing: Pauses between the events.

        Yields:
            Each encoded event. The message is stored before the last event is sent, so a client
            that has read the last event can retrieve the message.
        """
        yield self._send(next(self._events))
        while not self._ended:
            is_running = await pacing.pause()
            yield self._send(next(self._events) if is_running else _STOPPED)

    def close(self) -> None:
        """Store the message so far. Closing the reply again has no effect."""
        if self._ended:
            return
        self._ended = True
        with self._store.transaction():
            self._store.messages.append(
                self._conversation_id,
                role="assistant",
                parts=self._transcript.parts(),
                message_id=self._message_id,
            )
            self._store.tool_calls.add(
                self._conversation_id, self._pending_calls, task_id=self._task_id
            )

    def _send(self, event: Event) -> bytes:
        """Encode and record an event."""
        chunk = server_sent(event, at=self._store.clock())
        self._transcript.add(event)
        self._recorder.record(chunk)
        if event.type in LAST_EVENTS:
            self._pending_calls = pending_call_ids(event)
            with self._store.transaction():
                self.close()
                self._recorder.finish()
        else:
            self._pending_calls += pending_call_ids(event)
        return chunk
