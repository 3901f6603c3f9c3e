"""The headers of a response."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from .http_dates import parse_http_date


class Headers(Mapping[str, str]):
    """The headers of a response.

    Names are case-insensitive; repeated headers are joined with commas.

    Args:
        raw: Names and values, as bytes or as text.

    Example:
        headers = Headers([("Date", "Fri, 31 Dec 1999 23:59:59 GMT"), ("Vary", "Accept")])
        assert headers["date"] == "Fri, 31 Dec 1999 23:59:59 GMT"
        assert headers.get("etag") is None
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
        """Parse a header whose value is an HTTP date, such as `Date`.

        Args:
            name: The name of the header; case doesn't matter.

        Returns:
            The time in UTC; None if the header is absent or not a date.

        Example:
            headers = Headers([("Date", "Fri, 31 Dec 1999 23:59:59 GMT")])
            date = headers.get_date("date")
            assert date is not None and date.year == 1999
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
    # Latin-1 decodes any bytes.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
