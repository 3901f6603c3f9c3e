"""The sandbox's life: a socket, a server in a thread, a store."""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import uvicorn

from conversations_client.sandbox._app import create_app
from conversations_client.sandbox._pacing import Pacing
from conversations_client.sandbox._store import Store

_HOST: Final = "127.0.0.1"
_LAST_PORT: Final = 65_535


class Sandbox:
    """The Conversations API on a loopback port of this machine.

    Use it as a context manager, or call `start()` and `stop()`; it can be started once.

    Args:
        port: The port to listen on; 0, the default, takes a free one.
        db: The SQLite file to keep everything in, made if it isn't there; None, the default,
            keeps everything in memory until the sandbox stops.
        api_key: The key that callers must send; one is made up if left out.
        pace: Seconds between two events of a stream; 0, the default, sends them as fast as can be.

    Raises:
        OSError: The port is taken, or the file is no database of the sandbox.
        ValueError: The pace is negative or not finite.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        db: str | os.PathLike[str] | None = None,
        api_key: str | None = None,
        pace: float = 0.0,
    ) -> None:
        self._pacing = Pacing(pace)
        self.api_key = api_key or f"sandbox_{secrets.token_urlsafe()}"
        self._socket = _listen(port)
        try:
            self._store = Store(db)
        except BaseException:
            self._socket.close()
            raise
        self.url = f"http://{_HOST}:{self._socket.getsockname()[1]}"
        self._server = _Server(
            uvicorn.Config(
                create_app(self._store, api_key=self.api_key, pacing=self._pacing),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            ),
            on_shutdown=self._pacing.stop,
        )
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)
        self._stopped = False

    def start(self) -> Self:
        """Answer from now on; gives the sandbox itself.

        Raises:
            RuntimeError: The server failed to start.
        """
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            raise RuntimeError("The sandbox could not start; the log says why.")
        return self

    def stop(self) -> None:
        """Stop answering and let go of the port and the file; again does nothing."""
        if self._stopped:
            return
        self._stopped = True
        self._server.should_exit = True
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

    def _serve(self) -> None:
        try:
            self._server.run([self._socket])
        finally:
            self._server.ready.set()


class _Server(uvicorn.Server):
    """uvicorn's server, telling when it is ready and when it stops."""

    def __init__(self, config: uvicorn.Config, *, on_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._on_shutdown = on_shutdown

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and say so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, and let go of every connection."""
        self._on_shutdown()
        await super().shutdown(sockets)


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise OSError(f"Port {port} is not one of 0 to {_LAST_PORT}.")
    try:
        listening = socket.create_server((_HOST, port))
    except OSError as error:
        raise OSError(
            error.errno, f"Port {port} can't be listened on ({error.strerror}): choose another."
        ) from None
    # Its connections inherit it. asyncio sets it only on sockets made with the protocol's number,
    # and without it an answer's body waits 40 ms for the acknowledgement of its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
