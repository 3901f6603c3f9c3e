"""A hook that kills its process once."""

import os
import signal
from pathlib import Path

from attrs import define

from conversations_client import RequestInfo


@define
class Doomed:
    """Kills its process at a request.

    Attributes:
        mark: A file that is created before the kill and prevents another kill.
        at: The number of the request, from 1.
    """

    mark: Path
    at: int
    sent: int = 0

    def __call__(self, _: RequestInfo) -> None:
        self.sent += 1
        if self.sent == self.at and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
