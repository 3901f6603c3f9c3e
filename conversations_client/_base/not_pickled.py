"""Objects that can't be pickled, because they use the connections of a client."""

from typing import Any, ClassVar, NoReturn, Self


class NotPickled:
    """An object that can't be pickled or copied; the TypeError says what to do instead."""

    __slots__ = ()

    _refusal: ClassVar[str]

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} can't be {self._refusal}.")


class Shared(NotPickled):
    """An object that can't be pickled, and whose copies are the object itself."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
