"""Runs `create_many`, `retrieve_many` or `delete_many` in a variant."""

from collections.abc import Callable
from typing import Any

from variants import KEY, Variant, World


def run_many(
    variant: Variant,
    method: str,
    items: Any,
    *,
    world: World | None = None,
    then: Callable[[list[Any]], None] | None = None,
    stop: bool = False,
    client: dict[str, Any] | None = None,
    **options: Any,
) -> list[Any]:
    """Return all outcomes of a method.

    Args:
        variant: Sync, or async on asyncio or trio.
        method: The method of `client.conversations`.
        items: Its first argument.
        world: Replaces the clock.
        then: Called after each outcome with all outcomes so far.
        stop: Whether to stop after each outcome.
        client: The client's arguments.
        **options: The method's options.
    """
    found: list[Any] = []

    def take(outcome: Any) -> None:
        found.append(outcome)
        if then:
            then(found)

    def sync(client: Any) -> None:
        with getattr(client.conversations, method)(items, **options) as outcomes:
            for outcome in outcomes:
                take(outcome)
                if stop:
                    outcomes.stop()

    async def asynchronous(client: Any) -> None:
        async with getattr(client.conversations, method)(items, **options) as outcomes:
            async for outcome in outcomes:
                take(outcome)
                if stop:
                    outcomes.stop()

    scenario = sync if variant.name == "sync" else asynchronous
    variant.run(scenario, world=world, **{"api_key": KEY, **(client or {})})
    return found
