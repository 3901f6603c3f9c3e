"""The headers of an answer."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from .http_dates import parse_http_date


class Headers(Mapping[str, str]):
    """The headers of an answer, by name in any case; repeated ones are joined by commas.

    Args:
        raw: Names and values, as they came or as text; they are read when somebody asks.
    """

    __slots__ = ("_by_name", "_raw")

    def __init__(self, raw: Iterable[tuple[bytes | str, bytes | str]] = ()) -> None:
        self._raw = raw
        self._by_name: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._read()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def get_date(self, name: str) -> datetime | None:
        """The time in a header that holds an HTTP date, such as `Date`.

        Args:
            name: The name of the header, in any case.

        Returns:
            The time, in UTC; None if the header is absent or not a date.
        """
        return parse_http_date(self.get(name, ""))

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"

    def _read(self) -> dict[str, str]:
        if self._by_name is None:
            by_name: dict[str, str] = {}
            for raw_name, raw_value in self._raw:
                name, value = _text(raw_name).lower(), _text(raw_value)
                by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
            self._by_name = by_name
        return self._by_name


def _text(raw: bytes | str) -> str:
    if isinstance(raw, str):
        return raw
    # What is no UTF-8 is Latin-1, in which everything is something.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
