"""The empty mapping that objects without unknown fields share."""

from typing import Any, Final, NoReturn


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("`extra` can't be changed in place: use attrs.evolve(obj, extra={...}).")


_REFUSE: Final[Any] = _refuse  # Any: the replaced methods have different signatures


class _NoExtra(dict[str, Any]):
    """An empty, immutable dict; copying and unpickling return the same object."""

    __slots__ = ()

    __setitem__ = __ior__ = setdefault = update = _REFUSE

    def __reduce__(self) -> str:
        return "NO_EXTRA"


NO_EXTRA: Final = _NoExtra()
