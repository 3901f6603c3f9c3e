"""The sandbox: a server in a thread, its socket, and its store."""

import os
import threading
from collections.abc import Collection
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from attrs import evolve

from conversations_client.sandbox._clients import Clients
from conversations_client.sandbox._control_routes import control_routes
from conversations_client.sandbox._controls import Controls
from conversations_client.sandbox._replies.pacing import Pacing
from conversations_client.sandbox._server.app import create_app
from conversations_client.sandbox._server.server_log import sandbox_logger
from conversations_client.sandbox._server.settings import Settings, checked_path, checked_settings
from conversations_client.sandbox._server.uvicorn_server import UvicornServer, listen, url_of
from conversations_client.sandbox._storage.clock import SettableClock
from conversations_client.sandbox._storage.store import Store

_LOOPBACK: Final = "127.0.0.1"


class Sandbox(Controls, Clients):
    """A local server that implements the Conversations API.

    Use it as a context manager, or call `start()` and `stop()`. A stopped sandbox can be started
    again.

    Args:
        port: The port to listen on; 0, the default, chooses a free one.
        db: The SQLite file that stores everything, created if it doesn't exist; only its owner can
            read it. None, the default, stores everything in memory for the lifetime of this object.
        api_key: The key that callers must send, in visible ASCII characters. Default: a generated
            key, which is stored in `db` and stays the same.
        pace: The pause between two events in a stream, in seconds. Default: 0 (no pause).
        revision: The revision of the API, 1 or 2. Default: 2, the one that the service currently
            documents.
        models: The models to accept in addition to the sandbox's own, such as `["openai/gpt-4o"]`;
            requests for other models fail. None, the default, accepts every `provider/model_id`.
        host: The address to listen on. Default: `127.0.0.1`, which only this machine can reach.
        allowed_hosts: Host names that callers may use in addition to `localhost` and the loopback
            addresses, without `http://`, a port or a wildcard. Requests with other names in the
            Host header are rejected, so that no web page can reach the sandbox.

    Attributes:
        api_key: The key that callers must send.
        url: The URL of the sandbox, such as `http://127.0.0.1:8765`.

    Raises:
        OSError: The port is taken, the file isn't a sandbox database, or the file belongs to a
            different revision.
        ValueError: A setting is invalid.

    Example:
        with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
            conversation = client.conversations.create(display_name="Refunds")
            assert conversation.display_name == "Refunds"
    """

    def __init__(
        self,
        *,
        port: int = 0,
        db: str | os.PathLike[str] | None = None,
        api_key: str | None = None,
        pace: float = 0.0,
        revision: int = 2,
        models: Collection[str] | None = None,
        host: str = _LOOPBACK,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._settings = checked_settings(
            api_key=api_key,
            revision=revision,
            models=models,
            host=host,
            allowed_hosts=allowed_hosts,
        )
        self._has_generated_key = api_key is None
        self._host = host
        self._db = checked_path(db)
        self._pace = pace
        self._clock = SettableClock()
        self._content: bytes | None = None
        self._open(port)
        self.api_key: str = self._settings.api_key
        self.url: str = url_of(self._socket)

    def _open(self, port: int) -> None:
        self._pacing = Pacing(self._pace)
        self._socket = listen(self._host, port)
        try:
            self._store = Store(
                self._db,
                content=self._content,
                revision=self._settings.revision.number,
                clock=self._clock,
            )
            if self._has_generated_key:
                key = self._store.stable_api_key(self._settings.api_key)
                self._settings = evolve(self._settings, api_key=key)
        except BaseException:
            self._socket.close()
            raise
        self._port: int = self._socket.getsockname()[1]
        self._server = self._create_server(self._settings)
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self._stopped = False

    def __repr__(self) -> str:
        is_running = self._thread.ident is not None and not self._stopped
        return f"<Sandbox at {self.url}: {'running' if is_running else 'stopped'}>"

    def start(self) -> Self:
        """Start the server and return the sandbox.

        After `stop()`, it starts again on the same port, with the same key and data.

        Raises:
            RuntimeError: The server is already running, or failed to start.
            OSError: The port was taken after the sandbox stopped.

        Example:
            sandbox.stop()  # the service is down
            try:
                client.with_options(retry=Retry(attempts=1)).conversations.create()
            except TransportError as error:
                assert error.is_temporary
            sandbox.start()
            client.conversations.create()
        """
        if self._stopped:
            self._open(self._port)
        elif self._thread.ident is not None:
            raise RuntimeError("The sandbox is already running.")
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            raise RuntimeError("The sandbox could not start. The reason is in the log.")
        return self

    def stop(self) -> None:
        """Stop the server and close the port and the file. Stopping it again has no effect.

        Until you call `start()` again, callers can't connect, as if the service were down.

        Example:
            sandbox.stop()
            sandbox.stop()
        """
        if self._stopped:
            return
        self._stopped = True
        self._server.request_stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()
        self._content = self._store.content()
        self._store.close()

    def set_time(self, time: datetime | None) -> None:
        """Set a fixed time for new conversations and messages.

        Create the oldest conversations first, because IDs and listings follow the order of
        creation.

        Args:
            time: A timezone-aware datetime, 1970 or later; None for the system clock.

        Raises:
            ValueError: The time isn't a timezone-aware datetime, or is before 1970.

        Example:
            from datetime import UTC, datetime

            sandbox.set_time(datetime(2024, 1, 1, tzinfo=UTC))
            old = client.conversations.create()
            sandbox.set_time(None)
            new = client.conversations.create()
            assert old.created.year == 2024 and new.created_at > old.created_at
        """
        self._clock.set(time)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _create_server(self, settings: Settings) -> UvicornServer:
        app = create_app(
            self._store,
            settings,
            pacing=self._pacing,
            log=self._log,
            faults=self._faults,
            hang_up=lambda scope: self._server.hang_up(scope["client"]),
            controls=control_routes(self, self._clock),
        )
        return UvicornServer(app, on_shutdown=self._pacing.stop)

    def _serve(self) -> None:
        try:
            with sandbox_logger():
                self._server.run([self._socket])
        finally:
            self._server.ready.set()
