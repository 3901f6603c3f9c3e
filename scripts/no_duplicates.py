"""Creates conversations with faults in one of ten requests, and checks the outcomes.

    python scripts/no_duplicates.py [--creates 10000] [--at-once 64] [--seed 6] [--variant asyncio]

Runs against a server that honors `Idempotency-Key` and against one that ignores it. Exits with code
1 if the client reports a conversation that is not stored, if a conversation is stored twice, or if
an error has the wrong `may_have_acted`.
"""

import argparse
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

import anyio
from attrs import define, field
from counting_server import CountingServer, Ledger

from conversations_client import (
    AsyncClient,
    Client,
    Conversation,
    ConversationsError,
    IdleTimeoutError,
    Retry,
    Timeout,
)

VARIANTS: Final = ("sync", "asyncio", "trio")
_TIMEOUT: Final = Timeout(total=60, idle=0.5)


@define
class Figures:
    """The results of a run."""

    creates: int
    created: int = 0
    errors: Counter[str] = field(factory=Counter[str])
    lost: list[str] = field(factory=list[str])
    duplicated: list[str] = field(factory=list[str])
    wrong_errors: list[str] = field(factory=list[str])
    requests: int = 0
    faults: int = 0
    seconds: float = 0.0

    @property
    def is_correct(self) -> bool:
        """Whether every create call has an outcome and no guarantee was violated."""
        accounted = self.created + self.errors.total() == self.creates
        return accounted and not (self.lost or self.duplicated or self.wrong_errors)

    def __str__(self) -> str:
        errors = ", ".join(f"{count} {name}" for name, count in sorted(self.errors.items()))
        return (
            f"{self.creates} create calls in {self.seconds:.1f} s: {self.requests} requests, "
            f"{self.faults} faults; {self.created} created, {self.errors.total()} errors "
            f"({errors}); {len(self.lost)} lost, {len(self.duplicated)} duplicated, "
            f"{len(self.wrong_errors)} wrong errors"
        )


def run(*, creates: int, at_once: int, seed: int, variant: str, honors_keys: bool) -> Figures:
    """Create conversations and compare the outcomes with the server's records."""
    outcomes: dict[str, Conversation | ConversationsError] = {}
    names = (f"conversation {number}" for number in range(creates))
    retry = Retry(wait_initial=0.01, wait_max=0.02, trust_idempotency_key=honors_keys)
    started = time.perf_counter()
    with CountingServer(honors_keys=honors_keys, fault_rate=0.1, seed=seed) as server:
        if variant == "sync":
            with Client("k", base_url=server.url, retry=retry, timeout=_TIMEOUT) as client:
                _in_threads(client, names, outcomes, at_once)
        else:
            anyio.run(_in_tasks, server.url, retry, names, outcomes, at_once, backend=variant)
    figures = _compare(outcomes, server.ledger, creates)
    figures.seconds = time.perf_counter() - started
    return figures


def _in_threads(
    client: Client,
    names: Iterator[str],
    outcomes: dict[str, Conversation | ConversationsError],
    at_once: int,
) -> None:
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                name = next(names, None)
            if name is None:
                return
            try:
                outcomes[name] = client.conversations.create(display_name=name)
            except ConversationsError as error:
                outcomes[name] = error

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def _in_tasks(
    url: str,
    retry: Retry,
    names: Iterator[str],
    outcomes: dict[str, Conversation | ConversationsError],
    at_once: int,
) -> None:
    async def work() -> None:
        for name in names:
            try:
                outcomes[name] = await client.conversations.create(display_name=name)
            except ConversationsError as error:
                outcomes[name] = error

    async with (
        AsyncClient("k", base_url=url, retry=retry, timeout=_TIMEOUT) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(at_once):
            tasks.start_soon(work)


def _compare(
    outcomes: dict[str, Conversation | ConversationsError], ledger: Ledger, creates: int
) -> Figures:
    figures = Figures(creates=creates, requests=len(ledger.order))
    figures.duplicated = [name for name, times in ledger.stored.items() if times > 1]
    for name, outcome in outcomes.items():
        faults = ledger.faults.get(name, [])
        figures.faults += len(faults)
        if isinstance(outcome, Conversation):
            figures.created += 1
            if not ledger.stored[name] or outcome.id != ledger.ids[name]:
                figures.lost.append(name)
            continue
        figures.errors[type(outcome).__name__] += 1
        # The server acted, or the client got no response. On a busy machine, a response may be late
        # without a fault.
        is_late = isinstance(outcome, IdleTimeoutError)
        may_have_acted = is_late or any(not fault.refuses for fault in faults)
        if outcome.may_have_acted is not may_have_acted:
            figures.wrong_errors.append(name)
    return figures


def main() -> int:
    """Run every variant against both servers and print the results."""
    parser = argparse.ArgumentParser(
        description="Create conversations with faults in one of ten requests."
    )
    parser.add_argument("--creates", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--variant", choices=VARIANTS, action="append")
    options = parser.parse_args()
    succeeded = True
    for variant, honors_keys in itertools.product(options.variant or VARIANTS, (True, False)):
        figures = run(
            creates=options.creates,
            at_once=options.at_once,
            seed=options.seed,
            variant=variant,
            honors_keys=honors_keys,
        )
        print(f"{variant}, keys {'honored' if honors_keys else 'ignored'}: {figures}", flush=True)
        succeeded = succeeded and figures.is_correct
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
