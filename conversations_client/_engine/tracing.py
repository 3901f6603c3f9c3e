"""Creates an OpenTelemetry span for each call, in programs that use OpenTelemetry."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import TracebackType
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from conversations_client._base.version import __version__
from conversations_client._calls.call import Call
from conversations_client._calls.operation import Reply

End: TypeAlias = Callable[[BaseException | None], None]
"""Ends a span; the argument is the error of the call, or None."""

_TRACE: Final = "opentelemetry.trace"
_PORTS: Final = {"http": 80, "https": 443}


def _do_nothing(_: BaseException | None) -> None:
    pass


_UNTRACED: Final = nullcontext(_do_nothing)


def traced(call: Call[Any], base_url: str, *, ends: bool = True) -> AbstractContextManager[End]:
    """Return a context manager; spans created inside it are children of the call's span.

    Args:
        call: The call.
        base_url: The URL of the service.
        ends: Whether the span ends with the block. If not, call the function that the
            context manager yields. If the block raises, the span ends anyway.
    """
    # A program that doesn't import OpenTelemetry exports no spans.
    if sys.modules.get(_TRACE) is None:
        return _UNTRACED
    # If another thread is still importing the module, this waits.
    return _Traced(import_module(_TRACE), call, base_url, ends=ends)


class _Traced:
    def __init__(
        self,
        trace: Any,  # noqa: ANN401 - a module
        call: Call[Any],
        base_url: str,
        *,
        ends: bool,
    ) -> None:
        request = call.operation.request
        tracer = trace.get_tracer("conversations_client", __version__)
        server = urlsplit(base_url)
        attributes = {
            "http.request.method": request.method,
            "url.template": request.template,
            "server.address": server.hostname,
            "server.port": server.port or _PORTS[server.scheme],
        }
        self._failed = trace.StatusCode.ERROR
        self._call = call
        self._ends = ends
        name = f"{request.method} {request.template}"
        self._span = tracer.start_span(name, attributes=attributes)
        self._current = trace.use_span(
            self._span, record_exception=False, set_status_on_exception=False
        )

    def __enter__(self) -> End:
        self._current.__enter__()
        return self._end

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._current.__exit__(exc_type, exc_value, traceback)
        if self._ends or exc_value is not None:
            self._end(exc_value)

    def _end(self, error: BaseException | None) -> None:
        if error is not None:
            self._span.set_attribute("error.type", _name(type(error)))
            self._span.set_status(self._failed, str(error))
        if self._call.attempts > 1:
            self._span.set_attribute("http.request.resend_count", self._call.attempts - 1)
        if self._call.last_reply is not None:
            self._record(self._call.last_reply)
        self._span.end()

    def _record(self, reply: Reply) -> None:
        self._span.set_attribute("http.response.status_code", reply.status)
        request_id = self._call.request_id(reply)
        if request_id is not None:
            # By OpenTelemetry's conventions, the value of a header is a list.
            self._span.set_attribute("http.response.header.x-request-id", [request_id])


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}".removeprefix("builtins.")
