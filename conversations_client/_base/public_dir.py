"""Limits the names that editors and shells offer after a dot."""

from collections.abc import Iterable


class PublicDir:
    """Hides private names, those with one leading underscore, from `dir()`."""

    __slots__ = ()

    def __dir__(self) -> Iterable[str]:
        return [name for name in super().__dir__() if name[:1] != "_" or name.endswith("__")]
