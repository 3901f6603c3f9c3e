"""Attributes that are made when they are first read."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, get_type_hints, overload

T = TypeVar("T")


class cached_attribute(Generic[T]):  # noqa: N801 - named as functools.cached_property is
    """An attribute that is made when it is first read; two threads that race get the same object.

    Read from the class, it is the class of the attribute, so that mocks know its methods.

    functools.cached_property holds a lock of the whole class on Python 3.11, while it makes it.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self._name = name

    # Any, since editors offer the members of all overloads together.
    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Any: ...  # noqa: ANN401

    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any]) -> Any:
        if instance is None:
            return get_type_hints(self.make)["return"]
        found: T = vars(instance).setdefault(self._name, self.make(instance))
        return found
