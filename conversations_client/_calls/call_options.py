"""The options of one call, its timeout and extra headers, and their checks. No I/O."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar, cast

from attrs import evolve, field, frozen

from conversations_client._base.unset import UNSET, Unset
from conversations_client.errors import ConfigurationError, InvalidArgumentError

from .operation import Operation, Request
from .settings import Timeout, chosen_timeout

T = TypeVar("T")

_NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[!-~]([\t -~]*[!-~])?|")
_ADVICE: Final = {
    "authorization": "use api_key=… or with_options(api_key=…)",
    "idempotency-key": "use idempotency_key=… of the call",
}
RESERVED_HEADERS: Final = frozenset(
    {
        *_ADVICE,
        "accept",
        "accept-encoding",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""The headers that only the client or the HTTP connection may set, in lower case."""


@frozen
class CallOptions:
    """The options of one call.

    Attributes:
        timeout: How long the call may take; None for the client's timeout.
        headers: Names and values to add to the request.
    """

    timeout: Timeout | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def apply(self, operation: Operation[T]) -> Operation[T]:
        """The operation with these options, at each of its paths."""
        if self is NO_OPTIONS:
            return operation
        alternate = operation.alternate
        return evolve(
            operation,
            request=self._change(operation.request),
            alternate=None if alternate is None else self._change(alternate),
        )

    def _change(self, request: Request) -> Request:
        return evolve(request, timeout=self.timeout, extra_headers=self.headers)


NO_OPTIONS: Final = CallOptions()


def call_options(
    *, timeout: Timeout | float | Unset | None, extra_headers: Mapping[str, str] | None
) -> CallOptions:
    """Check a caller's options; raises InvalidArgumentError."""
    if timeout is UNSET and extra_headers is None:
        return NO_OPTIONS
    try:
        return CallOptions(
            None if timeout is UNSET else chosen_timeout(timeout), checked_headers(extra_headers)
        )
    except ConfigurationError as error:
        raise InvalidArgumentError(str(error)) from None


def with_options(
    operation: Operation[T],
    *,
    timeout: Timeout | float | Unset | None,
    extra_headers: Mapping[str, str] | None,
) -> Operation[T]:
    """The operation with a caller's options; raises InvalidArgumentError."""
    return call_options(timeout=timeout, extra_headers=extra_headers).apply(operation)


def checked_headers(headers: object) -> tuple[tuple[str, str], ...]:
    """The names and values of a caller's headers; raises ConfigurationError."""
    if headers is None:
        return ()
    if not isinstance(headers, Mapping):
        raise ConfigurationError(
            f"extra_headers must be a dict of names and values, not {type(headers).__name__}."
        )
    checked: dict[str, tuple[str, str]] = {}
    for name, value in cast("Mapping[object, object]", headers).items():
        header = _checked_name(name), _checked_value(name, value)
        if checked.setdefault(header[0].lower(), header) is not header:
            raise ConfigurationError(f"extra_headers has {name} twice: pass it once.")
    return tuple(checked.values())


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            "extra_headers has an invalid name: only letters, digits and -!#$%&'*+.^_`|~ are "
            "allowed."
        )
    if name.lower() in RESERVED_HEADERS:
        advice = _ADVICE.get(name.lower(), "omit it")
        raise ConfigurationError(
            f"extra_headers can't set {name}, which the client sets: {advice}."
        )
    return name


def _checked_value(name: object, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(
            f"extra_headers: {name} must be a string, not {type(value).__name__}."
        )
    if not _VALUE.fullmatch(value):
        raise ConfigurationError(
            f"extra_headers: {name} must be printable ASCII without line breaks, and without "
            "leading or trailing spaces: strip() it, and percent-encode other characters."
        )
    return value
