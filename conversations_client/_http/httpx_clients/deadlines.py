"""Keeps requests over the HTTP library to their deadline, as far as the library allows it.

The library takes one limit for the reads and one for the writes of a request, and begins each read
and write with it again.
"""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any, Final

from conversations_client._http.client_protocols import classes
from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.streams.errors import WriteTimeout
from conversations_client._http.streams.limits import seconds_left

from .buffered import async_chunks

_PART: Final = 2**14


class Timeouts(dict[str, float | None]):
    """The limits of a request, which the library looks up when it begins to send or to receive.

    Args:
        limits: The limits; what is left of them is computed at every look.
    """

    def __init__(self, limits: RequestLimits) -> None:
        super().__init__(limits.as_timeouts())
        self._limits = limits

    def __getitem__(self, step: str) -> float | None:
        return self._limits.as_timeouts()[step]

    def get(self, step: str, default: Any = None) -> Any:  # noqa: ANN401 - as dict has it
        """The seconds of a step; None for no limit."""
        return self._limits.as_timeouts().get(step, default)


def limit_sending(request: Any, body: bytes, limits: RequestLimits) -> None:  # noqa: ANN401 - the library's
    """Send the body in parts, with a look at the deadline before each."""
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
            # The library's is a generator, of which trio warns if it isn't run to its end.
            return async_chunks([self._body])

    return Parts
