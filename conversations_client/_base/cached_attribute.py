"""Attributes that are created on first access."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, get_type_hints, overload

T = TypeVar("T")


class cached_attribute(Generic[T]):  # noqa: N801 - named like functools.cached_property
    """An attribute that is created on first access; concurrent threads get the same object.

    Accessed on the class, it returns the attribute's type, so that mocks have its methods.

    functools.cached_property isn't used: on Python 3.11 it locks the attribute for all instances.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    # Any, because editors offer the members of all overloads together.
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Any: ...  # noqa: ANN401

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        if instance is None:
            return get_type_hints(self.make)["return"]
        value: T = vars(instance).setdefault(self._name, self.make(instance))
        return value
