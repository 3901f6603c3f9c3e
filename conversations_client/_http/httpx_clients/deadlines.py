"""Applies deadlines to requests over the HTTP library, as far as the library allows.

The library limits only individual reads and writes, and each read or write restarts the limit.
"""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any, Final

from conversations_client._http.client_protocols import classes
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.streams.errors import WriteTimeout
from conversations_client._http.streams.limits import seconds_left

from .buffered_bodies import async_chunks

_PART: Final = 2**14


class Timeouts(dict[str, float | None]):
    """The library's timeouts for a request, computed whenever the library reads them.

    Args:
        limits: The limits of the request.
    """

    def __init__(self, limits: RequestLimits) -> None:
        super().__init__(limits.as_timeouts())
        self._limits = limits

    def __getitem__(self, step: str) -> float | None:
        return self._limits.as_timeouts()[step]

    def get(self, step: str, default: Any = None) -> Any:  # noqa: ANN401 - as in dict
        """The seconds for a step; None for no limit."""
        return self._limits.as_timeouts().get(step, default)


def limit_sending(request: Any, body: bytes, limits: RequestLimits) -> None:  # noqa: ANN401 - the library's
    """Make the library send the body in parts, and check the deadline before each part."""
    kind = request.stream.__class__
    if kind in classes("ByteStream"):
        request.stream = _in_parts(kind)(body, limits)


@cache
def _in_parts(byte_stream: Any) -> Any:  # noqa: ANN401 - a class of the library
    class Parts(byte_stream):  # type: ignore[misc]
        def __init__(self, body: bytes, limits: RequestLimits) -> None:
            super().__init__(body)  # pyright: ignore[reportUnknownMemberType]
            self._body = body
            self._limits = limits

        def __iter__(self) -> Iterator[bytes]:
            for start in range(0, len(self._body), _PART):
                seconds_left(self._limits.idle, WriteTimeout)
                yield self._body[start : start + _PART]

        def __aiter__(self) -> AsyncIterator[bytes]:
            # The library's async generator makes trio warn if it isn't exhausted.
            return async_chunks([self._body])

    return Parts
