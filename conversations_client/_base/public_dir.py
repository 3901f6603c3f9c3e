"""What editors and shells offer after a dot."""

from collections.abc import Iterable


class PublicDir:
    """Offers the public names only: `dir()` has no names with one leading underscore."""

    __slots__ = ()

    def __dir__(self) -> Iterable[str]:
        return [name for name in super().__dir__() if name[:1] != "_" or name.endswith("__")]
