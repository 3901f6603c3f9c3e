"""Answers in their envelopes: the methods of a resource, typed to give `RawResponse`.

A resource sends through a `call` that gives what was parsed. Over one that gives the envelope its
methods give envelopes too; what is here says so to the type checkers.
"""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import Operation

P = ParamSpec("P")
T = TypeVar("T")


class Call(Protocol):
    """Sends an operation and gives its parsed answer."""

    def __call__(self, operation: Operation[T], /) -> T: ...


class AsyncCall(Protocol):
    """Sends an operation and gives its parsed answer."""

    def __call__(self, operation: Operation[T], /) -> Coroutine[Any, Any, T]: ...


def enveloped(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """A method of a resource whose `call` gives envelopes."""
    return cast("Callable[P, RawResponse[T]]", method)


def enveloped_async(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, RawResponse[T]]]:
    """A method of an async resource whose `call` gives envelopes."""
    return cast("Callable[P, Coroutine[Any, Any, RawResponse[T]]]", method)
