"""Formats results as Markdown. Only `write_section` does I/O."""

from collections.abc import Sequence
from pathlib import Path

from harness.ratios import Spread

ABSENT = "-"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with its first column left-aligned and the others right-aligned."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def median(value: Spread) -> str:
    """The median of a ratio: `0.46`."""
    return _short(value.median)


def extremes(value: Spread) -> str:
    """The minimum and maximum of a ratio: `0.44-0.49`."""
    return f"{_short(value.low)}-{_short(value.high)}"


def ratio(value: Spread) -> str:
    """A ratio: `0.46 (0.44-0.49)`."""
    return f"{median(value)} ({extremes(value)})"


def seconds(value: float) -> str:
    """A duration in a suitable unit."""
    if value < 1e-3:  # noqa: PLR2004 - a millisecond
        return f"{value * 1e6:.3g} µs"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def replaced(text: str, name: str, section: str) -> str:
    """Replace the text between the comments `NAME: begin` and `NAME: end` of a document."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise ValueError(f"the document has no section {name!r}")
    return f"{before}{begin}\n{section}\n\n{end}{after}"


def write_section(path: Path, name: str, section: str) -> None:
    """Replace a section of a document."""
    path.write_text(replaced(path.read_text(), name, section))


def _short(value: float) -> str:
    if value < 0.1:  # noqa: PLR2004 - two significant digits
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"  # noqa: PLR2004 - as above
