"""A client that takes its process with it, once."""

import os
import signal
from pathlib import Path

from attrs import frozen

from conversations_client import Client, Hooks, RequestInfo, Retry


@frozen
class Doomed:
    """Makes clients of a service that honours keys; the process of one is killed at a request.

    Attributes:
        api_key: The service's key.
        url: Where it is.
        mark: A file that is made just before the kill, so that there is one alone.
        at: Which request of a client it is, from 1.
    """

    api_key: str
    url: str
    mark: Path
    at: int

    def __call__(self) -> Client:
        sent = 0

        def on_request(_: RequestInfo) -> None:
            nonlocal sent
            sent += 1
            if sent == self.at and not self.mark.exists():
                self.mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        return Client(
            self.api_key,
            base_url=self.url,
            retry=Retry(trust_idempotency_key=True),
            hooks=Hooks(on_request=on_request),
        )
