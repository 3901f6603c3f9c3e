"""The raw resources: methods that return a `RawResponse` in place of what it contains.

A resource sends through a `call` that returns the parsed response. With a `call` that returns a
`RawResponse`, its methods do so as well; the decorators here tell type checkers about it.
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
    """Decorate a function that returns a resource: call this method of it, which returns a T."""

    def decorate(resource: Callable[[S], R]) -> Callable[Concatenate[S, P], RawResponse[T]]:
        return cast("Callable[Concatenate[S, P], RawResponse[T]]", _forward(method, resource))

    return decorate


def raw_async(
    method: Callable[Concatenate[R, P], Coroutine[Any, Any, T]],
) -> Callable[[Callable[[S], R]], Callable[Concatenate[S, P], Coroutine[Any, Any, RawResponse[T]]]]:
    """Decorate a function that returns an async resource, as `raw` does."""

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


def _described(forward: F, described: FunctionType) -> F:
    """Document a function as another one, with its annotations on Python 3.14 as well."""
    function: Any = forward
    functools.update_wrapper(function, described)
    function.__annotations__ = described.__annotations__  # 3.14 copies __annotate__ only
    return forward


def _with_raw_return(method: Any) -> FunctionType:  # noqa: ANN401 - a function
    """The function with a `RawResponse` in its return annotation, for signatures and help."""
    copy = FunctionType(method.__code__, method.__globals__)
    functools.update_wrapper(copy, method)
    del vars(copy)["__wrapped__"]
    copy.__defaults__ = method.__defaults__
    copy.__kwdefaults__ = method.__kwdefaults__
    returned, raw_response = method.__annotations__["return"], cast("Any", RawResponse)
    raw_return = f"RawResponse[{returned}]" if isinstance(returned, str) else raw_response[returned]
    copy.__annotations__ = {**method.__annotations__, "return": raw_return}
    return copy
