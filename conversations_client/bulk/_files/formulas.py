"""Cells that a spreadsheet would calculate. No I/O."""

import re
from collections.abc import Mapping
from typing import Any, Final

ESCAPED: Final = "formulasEscaped"
"""The column that marks a row whose cells are escaped, so that an import can undo it."""

# A cell that already begins with an apostrophe gets another one, so that no two cells look alike.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


def escape_formulas(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row, each text that begins like a formula behind an apostrophe."""
    return {**{name: _escaped(cell) for name, cell in cells.items()}, ESCAPED: "true"}


def unescape_formulas(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row as they were before `escape_formulas`; others as they are."""
    if cells.get(ESCAPED) != "true":
        return dict(cells)
    return {name: _unescaped(cell) for name, cell in cells.items() if name != ESCAPED}


def _escaped(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _unescaped(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith("'") and _FORMULA.match(cell):
        return cell[1:]
    return cell
