"""The headers of an answer."""

from collections.abc import Iterable, Iterator, Mapping


class Headers(Mapping[str, str]):
    """The headers of an answer, by name in any case; repeated ones are joined by commas."""

    __slots__ = ("_by_name",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        by_name: dict[str, str] = {}
        for name, value in items:
            lower = name.lower()
            by_name[lower] = f"{by_name[lower]}, {value}" if lower in by_name else value
        self._by_name = by_name

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"
