"""The clocks, the randomness and the sleep that an engine uses."""

import random
import time
import uuid
from collections.abc import Awaitable, Callable

import anyio
from attrs import field, frozen

from conversations_client._http.connections.clock import monotonic


@frozen(kw_only=True)
class Environment:
    """What an engine uses besides the network; tests inject their own."""

    clock: Callable[[], float] = monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    new_key: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = anyio.sleep
