"""The requests that came in, for tests to look at."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

MOST: Final = 1000
MOST_BYTES: Final = 16 * 1024 * 1024


@frozen(kw_only=True)
class ReceivedRequest:
    """A request as it came in.

    Attributes:
        method: The HTTP method.
        path: The path, unquoted.
        query: Names and values, as they came.
        headers: By name in lower case, without `authorization`; of repeated ones the last.
        body: As much of it as was read.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(hash=False, repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Parse the body.

        Returns:
            Its JSON, as Python values.

        Raises:
            ValueError: It isn't JSON.
        """
        return json.loads(self.body)


class Received:
    """The latest requests: at most 1,000, with bodies of at most 16 MiB; for several threads."""

    def __init__(self) -> None:
        self._requests: deque[ReceivedRequest] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, request: ReceivedRequest) -> None:
        """Keep a request, and forget the oldest where that makes too many.

        Args:
            request: The request.
        """
        with self._lock:
            self._requests.append(request)
            self._bytes += len(request.body)
            while len(self._requests) > MOST or self._bytes > MOST_BYTES:
                self._bytes -= len(self._requests.popleft().body)

    def all(self) -> tuple[ReceivedRequest, ...]:
        """List the requests.

        Returns:
            Each, oldest first.
        """
        with self._lock:
            return tuple(self._requests)
