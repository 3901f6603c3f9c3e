"""Methods that return a `RawResponse` instead of only the parsed response.

The methods of a resource return what its `call` returns: the parsed response, or a `RawResponse`.
The decorators here give the methods the type and the annotations for the latter.
"""

import functools
from collections.abc import Callable, Coroutine
from types import FunctionType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import Operation

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")
F = TypeVar("F")


class Call(Protocol):
    """Sends an operation and returns the parsed response."""

    def __call__(self, operation: Operation[T], /) -> T: ...


class AsyncCall(Protocol):
    """Sends an operation and returns the parsed response."""

    def __call__(self, operation: Operation[T], /) -> Coroutine[Any, Any, T]: ...


def raw(
    method: Callable[Concatenate[R, P], T],
) -> Callable[[Callable[[S], R]], Callable[Concatenate[S, P], RawResponse[T]]]:
    """Replace a function that returns a resource with a method of that resource."""

    def decorate(resource: Callable[[S], R]) -> Callable[Concatenate[S, P], RawResponse[T]]:
        return cast("Callable[Concatenate[S, P], RawResponse[T]]", _forward(method, resource))

    return decorate


def raw_async(
    method: Callable[Concatenate[R, P], Coroutine[Any, Any, T]],
) -> Callable[[Callable[[S], R]], Callable[Concatenate[S, P], Coroutine[Any, Any, RawResponse[T]]]]:
    """Replace a function that returns an async resource with a method of that resource."""

    def decorate(
        resource: Callable[[S], R],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, RawResponse[T]]]:
        return cast(
            "Callable[Concatenate[S, P], Coroutine[Any, Any, RawResponse[T]]]",
            _forward_async(method, resource),
        )

    return decorate


def _forward(
    method: Callable[Concatenate[R, P], T], resource: Callable[[S], R]
) -> Callable[Concatenate[S, P], T]:
    def forward(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return method(resource(self), *args, **kwargs)

    return _described(forward, _with_raw_return(method))


def _forward_async(
    method: Callable[Concatenate[R, P], Coroutine[Any, Any, T]], resource: Callable[[S], R]
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    async def forward(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await method(resource(self), *args, **kwargs)

    return _described(forward, _with_raw_return(method))


def _described(forward: F, method: FunctionType) -> F:
    """Copy the documentation and the annotations of a method to a function."""
    function: Any = forward
    functools.update_wrapper(function, method)
    # On Python 3.14, update_wrapper() copies only __annotate__.
    function.__annotations__ = method.__annotations__
    return forward


def _with_raw_return(method: Any) -> FunctionType:  # noqa: ANN401 - a function
    """A copy of a function whose return annotation is a `RawResponse`, for signatures and help."""
    copy = FunctionType(method.__code__, method.__globals__)
    functools.update_wrapper(copy, method)
    del vars(copy)["__wrapped__"]
    copy.__defaults__ = method.__defaults__
    copy.__kwdefaults__ = method.__kwdefaults__
    returned, raw_response = method.__annotations__["return"], cast("Any", RawResponse)
    raw_return = f"RawResponse[{returned}]" if isinstance(returned, str) else raw_response[returned]
    copy.__annotations__ = {**method.__annotations__, "return": raw_return}
    return copy
