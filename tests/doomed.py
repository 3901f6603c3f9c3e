"""A hook that takes its process with it, once."""

import os
import signal
from pathlib import Path

from attrs import define

from conversations_client import RequestInfo


@define
class Doomed:
    """Kills the process that it is in at a request.

    Attributes:
        mark: A file that is made just before the kill, so that there is one alone.
        at: At which request of a client, from 1.
    """

    mark: Path
    at: int
    sent: int = 0

    def __call__(self, _: RequestInfo) -> None:
        self.sent += 1
        if self.sent == self.at and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
