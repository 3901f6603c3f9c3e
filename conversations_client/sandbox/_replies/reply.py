"""One reply, from its first event to its last."""

from collections.abc import AsyncGenerator, Iterator
from typing import Final, Protocol

from conversations_client.sandbox._storage.store import Store

from .events import LAST_EVENTS, Event, failed, server_sent
from .pacing import Pacing
from .transcript import Transcript

_STOPPED: Final = failed("The sandbox stops.", 503)


class Recorder(Protocol):
    """Records the bytes of a stream."""

    def record(self, chunk: bytes) -> None:
        """Record the next bytes."""
        ...

    def finish(self) -> None:
        """Mark the stream as complete."""
        ...


class Reply:
    """A reply while it is streamed; its message is stored at its end, however it ends."""

    def __init__(
        self,
        store: Store,
        *,
        conversation_id: str,
        message_id: str,
        events: Iterator[Event],
        recorder: Recorder,
    ) -> None:
        """Prepare a reply.

        Args:
            store: Where the assistant's message is stored.
            conversation_id: The conversation's id.
            message_id: The message's id.
            events: All events; the last one ends the reply.
            recorder: Records the stream.
        """
        self._store = store
        self._conversation_id = conversation_id
        self._message_id = message_id
        self._events = events
        self._recorder = recorder
        self._transcript = Transcript()
        self._ended = False

    async def stream(self, pacing: Pacing) -> AsyncGenerator[bytes, None]:
        """Stream the reply.

        Args:
            pacing: Pauses between the events.

        Yields:
            Each event as server-sent bytes. The message is stored before the last event is sent:
            whoever has read that event finds the message.
        """
        yield self._send(next(self._events))
        while not self._ended:
            is_running = await pacing.pause()
            yield self._send(next(self._events) if is_running else _STOPPED)

    def close(self) -> None:
        """Store the message as far as it came; closing again does nothing."""
        if self._ended:
            return
        self._ended = True
        self._store.messages.append(
            self._conversation_id,
            role="assistant",
            parts=self._transcript.parts(),
            message_id=self._message_id,
        )

    def _send(self, event: Event) -> bytes:
        """Turn an event into bytes, and take note of it."""
        chunk = server_sent(event, at=self._store.clock())
        self._transcript.add(event)
        self._recorder.record(chunk)
        if event.type in LAST_EVENTS:
            with self._store.transaction():
                self.close()
                self._recorder.finish()
        return chunk
