"""One response, from its first event to its end."""

from collections.abc import AsyncGenerator, Iterator
from typing import Final

from conversations_client.sandbox._events import ENDS, Event, failed, server_sent
from conversations_client.sandbox._pacing import Pacing
from conversations_client.sandbox._recording import Recording
from conversations_client.sandbox._store import Store
from conversations_client.sandbox._transcript import Transcript

_STOPPED: Final = failed("The sandbox stops.", 503)


class Run:
    """A response as it is streamed; what it says is stored when it ends, however it ends."""

    def __init__(
        self,
        store: Store,
        *,
        conversation_id: str,
        message_id: str,
        events: Iterator[Event],
        recording: Recording,
    ) -> None:
        """Set a response up.

        Args:
            store: Where the assistant's message goes.
            conversation_id: The conversation that it is in.
            message_id: The message's id.
            events: All that happens, the last event being the response's end.
            recording: Hears the stream.
        """
        self._store = store
        self._conversation_id = conversation_id
        self._message_id = message_id
        self._events = events
        self._recording = recording
        self._transcript = Transcript()
        self._ended = False

    async def stream(self, pacing: Pacing) -> AsyncGenerator[bytes, None]:
        """Make the response.

        Args:
            pacing: How fast.

        Yields:
            Each event as server-sent bytes. Everything is stored before the last one is out, so
            that who has read it finds the message.
        """
        yield self._tell(next(self._events))
        while not self._ended:
            going_on = await pacing.pause()
            yield self._tell(next(self._events) if going_on else _STOPPED)

    def close(self) -> None:
        """Store what was said; again does nothing."""
        if self._ended:
            return
        self._ended = True
        self._store.messages.append(
            self._conversation_id,
            role="assistant",
            parts=self._transcript.parts(),
            message_id=self._message_id,
        )

    def _tell(self, event: Event) -> bytes:
        """Turn an event into bytes, and remember it."""
        chunk = server_sent(event, at=self._store.clock())
        self._transcript.hear(event)
        self._recording.add(chunk)
        if event.type in ENDS:
            with self._store.transaction():
                self.close()
                self._recording.finish()
        return chunk
