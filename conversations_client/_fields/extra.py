"""The empty mapping that objects without unknown fields share."""

from typing import Any, Final, NoReturn


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("`extra` can't be changed in place: use attrs.evolve(obj, extra={...}).")


_REFUSE: Final[Any] = _refuse  # has the signature of none of the methods that it replaces


class _NoExtra(dict[str, Any]):
    """An empty dict that can't be changed; copies and pickles give the same object."""

    __slots__ = ()

    __setitem__ = __ior__ = setdefault = update = _REFUSE

    def __reduce__(self) -> str:
        return "NO_EXTRA"


NO_EXTRA: Final = _NoExtra()
