"""Connects to a host by racing its addresses (Happy Eyeballs)."""

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from conversations_client._base.hosts import ip_address

from .addresses import addresses
from .errors import ConnectError, ConnectTimeout, NetworkError
from .interfaces import AsyncNetworkStream, Limit
from .limits import seconds_left
from .watchdog import move_on_after

StreamT = TypeVar("StreamT", bound=AsyncNetworkStream)

_ATTEMPT_DELAY: Final = 0.25  # seconds until the next address is tried as well


async def connect_to_host(
    host: str, port: int, limit: Limit, connect: Callable[[str], Awaitable[StreamT]]
) -> StreamT:
    """Connect to a host; raises ConnectError and ConnectTimeout.

    Args:
        host: The name or the address.
        port: The port.
        limit: Seconds for the name lookup and TCP together; None for no limit.
        connect: Connects to an address; raises OSError or NetworkError.
    """
    seconds = seconds_left(limit, ConnectTimeout)
    try:
        with move_on_after(math.inf if seconds is None else seconds):
            candidates = await _look_up(host, port, limit)
            if len(candidates) == 1:
                return await connect(candidates[0])
            return await _race(candidates, connect)
    except TimeoutError as error:
        raise ConnectTimeout(str(error)) from error
    except OSError as error:
        raise ConnectError(str(error)) from error
    raise ConnectTimeout("timed out")


async def _look_up(host: str, port: int, limit: Limit) -> list[str]:
    if ip_address(host) is not None:
        return [host]
    # Lookups by asyncio and trio occupy their worker threads until they end.
    look_up = partial(addresses, host, port, limit)
    return await anyio.to_thread.run_sync(look_up, abandon_on_cancel=True)


async def _race(candidates: list[str], connect: Callable[[str], Awaitable[StreamT]]) -> StreamT:
    # asyncio's own implementation leaks connections if it is cancelled.
    connected: list[StreamT] = []
    failed: list[Exception] = []

    async def attempt(address: str, ended: anyio.Event) -> None:
        try:
            connected.append(await connect(address))
        except (OSError, NetworkError) as error:
            failed.append(error)
        else:
            tasks.cancel_scope.cancel()
        ended.set()

    try:
        async with anyio.create_task_group() as tasks:
            for address in candidates:
                ended = anyio.Event()
                tasks.start_soon(attempt, address, ended)
                with move_on_after(_ATTEMPT_DELAY):
                    await ended.wait()
    except BaseException:
        await _close(connected)
        raise
    if not connected:
        raise failed[-1]
    await _close(connected[1:])
    return connected[0]


async def _close(streams: list[StreamT]) -> None:
    with anyio.CancelScope(shield=True):
        for stream in streams:
            await stream.aclose()
