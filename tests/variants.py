"""Runs a scenario in every variant: sync, and async on asyncio and trio."""

import inspect
import itertools
from collections.abc import Callable
from typing import Any

import anyio
from attrs import define, field, frozen

from conversations_client import AsyncClient, Client
from conversations_client._engine.environment import Environment

VARIANTS = ["sync", "asyncio", "trio"]
KEY = "key-0123456789"


@define
class World:
    """A fake clock, advanced by each delay, and by `tick` at each reading; records the delays."""

    pauses: list[float] = field(factory=list[float])
    now: float = 100.0
    tick: float = 0.0
    overslept: float = 0.0

    def environment(self) -> Environment:
        """The environment for an engine."""
        keys = itertools.count(1)
        return Environment(
            clock=self._clock,
            wall=lambda: 1_700_000_000.0,
            jitter=lambda: 0.5,
            new_key=lambda: f"made-up-{next(keys)}",
            sleep=self._sleep,
            sleep_async=self._sleep_async,
        )

    def _clock(self) -> float:
        self.now += self.tick
        return self.now

    def _sleep(self, seconds: float, wakeup: object) -> None:
        self.pauses.append(seconds)
        self.now += seconds + self.overslept

    async def _sleep_async(self, seconds: float, wakeup: object) -> None:
        self._sleep(seconds, wakeup)


@frozen
class Variant:
    """Runs a scenario with the client of one variant."""

    name: str

    def run(
        self, scenario: Callable[[Any], Any], *, world: World | None = None, **options: Any
    ) -> Any:
        """The result of `scenario(client)`, awaited if necessary."""
        if self.name == "sync":
            with Client(**options) as client:
                return scenario(_in(client, world))
        return anyio.run(self._run, scenario, world, options, backend=self.name)

    async def _run(
        self, scenario: Callable[[Any], Any], world: World | None, options: dict[str, Any]
    ) -> Any:
        async with AsyncClient(**options) as client:
            result = scenario(_in(client, world))
            return await result if inspect.isawaitable(result) else result


def everything(listing: Any) -> Any:
    """All items of a sync or async listing, as a list or an awaitable."""
    if hasattr(listing, "__aiter__"):
        return _everything(listing)
    return list(listing)


async def _everything(listing: Any) -> list[Any]:
    return [item async for item in listing]


def _in(client: Any, world: World | None) -> Any:
    if world is not None:
        client._environment = world.environment()
    return client
