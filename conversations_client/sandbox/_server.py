"""The sandbox's life: a socket, a server in a thread, a store."""

import asyncio
import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from conversations_client.sandbox._app import create_app
from conversations_client.sandbox._controls import Controls
from conversations_client.sandbox._log import under_its_own_name
from conversations_client.sandbox._pacing import Pacing
from conversations_client.sandbox._store import Store

_HOST: Final = "127.0.0.1"
_LAST_PORT: Final = 65_535
_GRACE: Final = 1.0  # seconds that answers may still take when the sandbox stops


class Sandbox(Controls):
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
        super().__init__()
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
                self._app(),
                http=H11Protocol,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
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
        self._server.tell_to_exit()
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

    def _app(self) -> ASGIApp:
        return create_app(
            self._store,
            api_key=self.api_key,
            pacing=self._pacing,
            received=self._received,
            disruptions=self._disruptions,
            hang_up=lambda scope: self._server.hang_up(scope["client"]),
        )

    def _serve(self) -> None:
        try:
            with under_its_own_name():
                self._server.run([self._socket])
        finally:
            self._server.ready.set()


class _Server(uvicorn.Server):
    """uvicorn's server, telling when it is ready and stopping when it is told to.

    uvicorn looks ten times a second whether it is to stop, and twice before it has: a fifth of a
    second for each test that has a sandbox of its own.
    """

    def __init__(self, config: uvicorn.Config, *, on_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._on_shutdown = on_shutdown
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_to_exit = asyncio.Event()

    def tell_to_exit(self) -> None:
        """Have the server stop; from any thread, also before it runs and after."""
        self.should_exit = True
        if self._loop is not None:
            # The loop is closed if the server has failed.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told_to_exit.set)

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close the connection to a client, after what is on its way to it."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol) and connection.client == client:
                connection.transport.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Keep the date that goes with each answer, until told to exit."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_exit.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, and let go of every connection as soon as it has its answer."""
        del sockets  # the sandbox closes it
        self._on_shutdown()
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)  # uvicorn tells nobody when they are gone
        for connection in list(self.server_state.connections):
            connection.transport.abort()


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
