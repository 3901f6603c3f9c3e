"""A uvicorn server that stops without delay and can close a connection."""

import asyncio
import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from conversations_client.sandbox._argument_checks import text

_LAST_PORT: Final = 65_535
_GRACE_PERIOD: Final = 1.0  # seconds that responses have to finish when the sandbox stops
_ABOUT_THE_PORT: Final = frozenset({errno.EACCES, errno.EADDRINUSE})
_ADDRESS_ADVICE: Final = "Choose an address of this machine as the host."


class UvicornServer(uvicorn.Server):
    """A server that reports when it is ready, and stops immediately.

    uvicorn checks only ten times a second whether to stop, and waits twice. This would add a fifth
    of a second to each test that starts a sandbox.
    """

    def __init__(self, app: ASGIApp, *, on_shutdown: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=H11Protocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,  # so that a caller can't choose the address for `hang_up`
        )
        super().__init__(config)
        self.ready = threading.Event()
        self._on_shutdown = on_shutdown
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_requested = asyncio.Event()

    def request_stop(self) -> None:
        """Stop the server. It can be called from any thread, even if the server isn't running."""
        self.should_exit = True
        if self._loop is not None:
            # The loop is closed if the server has failed.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop_requested.set)

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close the connection to a client after all bytes are sent."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol) and connection.client == client:
                connection.transport.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections and report that the server is ready."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Update the date in responses once a second until the server stops."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_requested.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close each connection as soon as its response is sent."""
        del sockets  # the sandbox closes the socket
        self._on_shutdown()
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_PERIOD):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)  # uvicorn doesn't report when they are closed
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """Listen on a port.

    Args:
        host: The address, or a name that resolves to it.
        port: The port; 0 for a free port.

    Returns:
        The listening socket.

    Raises:
        OSError: The port is taken or out of range, or the address doesn't belong to this machine.
        ValueError: The port isn't a whole number, or the host isn't a string.
    """
    if type(port) is not int:
        raise ValueError(f"port must be a whole number, not {type(port).__name__}.")
    if not 0 <= port <= _LAST_PORT:
        raise OSError(f"Port {port} is not in the range from 0 to {_LAST_PORT}.")
    try:
        family, *_, address = socket.getaddrinfo(text("host", host), port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.create_server(address[:2], family=family)
    except (OSError, UnicodeError) as error:
        problem = f"Cannot listen on port {port} of {host} ({_reason(error)})."
        is_port = isinstance(error, OSError) and error.errno in _ABOUT_THE_PORT
        advice = "Choose another port, or 0 for a free one." if is_port else _ADDRESS_ADVICE
        raise OSError(f"{problem} {advice}") from None
    # Connections inherit the option. asyncio sets it only on sockets that were created with the
    # protocol number. Without it, a body waits 40 ms for the acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "not a host name"
    if isinstance(error, socket.gaierror) or error.errno is None:
        return str(error.strerror).lower()
    # The error message itself repeats the address.
    return os.strerror(error.errno).lower()


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket for callers on this machine.

    Args:
        listener: The socket.

    Returns:
        The URL, with the loopback address if the socket listens on every address.
    """
    address: str
    address, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - not bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
