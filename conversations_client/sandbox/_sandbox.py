"""The sandbox: a socket, a server in a thread, and a store."""

import os
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Final, Self

from conversations_client.sandbox._controls import Controls
from conversations_client.sandbox._replies.pacing import Pacing
from conversations_client.sandbox._server.app import create_app
from conversations_client.sandbox._server.server_log import sandbox_logger
from conversations_client.sandbox._server.settings import Settings, checked_settings
from conversations_client.sandbox._server.uvicorn_server import UvicornServer, listen, url_of
from conversations_client.sandbox._storage.store import Store

_LOOPBACK: Final = "127.0.0.1"


class Sandbox(Controls):
    """The Conversations API on a port of this machine.

    Use it as a context manager, or call `start()` and `stop()`. It can be started once.

    Args:
        port: The port to listen on; 0, the default, chooses a free one.
        db: The SQLite file that stores everything, created if it doesn't exist; only its owner can
            read it. None, the default, stores everything in memory until the sandbox stops.
        api_key: The key that callers must send, in visible ASCII characters; one is generated if
            left out.
        pace: Seconds between two events of a stream; 0, the default, sends them without a pause.
        revision: The revision of the API, 1 or 2. Default 2, which the service documents today.
        models: The models that exist besides the sandbox's own, such as `["openai/gpt-4o"]`;
            requests for others are refused. None, the default, accepts every `provider/model_id`.
        host: The address to listen on. Default `127.0.0.1`, which only this machine can reach.
        allowed_hosts: Names that callers may use besides `localhost` and the loopback addresses.
            Other names in the Host header are refused, so that no web page can reach the sandbox.

    Attributes:
        api_key: The key that callers must send.
        url: The URL of the sandbox, such as `http://127.0.0.1:8765`.

    Raises:
        OSError: The port is taken, the file isn't a database of the sandbox, or it was made for the
            other revision.
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
        self._pacing = Pacing(pace)
        settings = checked_settings(
            api_key=api_key,
            revision=revision,
            models=models,
            host=host,
            allowed_hosts=allowed_hosts,
        )
        self._socket = listen(host, port)
        try:
            self._store = Store(db, revision=revision)
        except BaseException:
            self._socket.close()
            raise
        self.api_key: str = settings.api_key
        self.url: str = url_of(self._socket)
        self._server = self._create_server(settings)
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self._stopped = False

    def start(self) -> Self:
        """Start the server, and return the sandbox itself.

        Raises:
            RuntimeError: The server failed to start.

        Example:
            sandbox = Sandbox().start()
            sandbox.stop()
        """
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            raise RuntimeError("The sandbox could not start; the log says why.")
        return self

    def stop(self) -> None:
        """Stop the server, and close the port and the file; stopping again does nothing.

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
        self._store.close()

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
        )
        return UvicornServer(app, on_shutdown=self._pacing.stop)

    def _serve(self) -> None:
        try:
            with sandbox_logger():
                self._server.run([self._socket])
        finally:
            self._server.ready.set()
