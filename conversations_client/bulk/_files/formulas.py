"""Escapes cells that a spreadsheet would evaluate as formulas. No I/O."""

import re
from collections.abc import Mapping
from typing import Any, Final

ESCAPED: Final = "formulasEscaped"
"""The column that marks a row with escaped cells, so that an import can unescape them."""

# Cells that already start with an apostrophe get another one, so that unescaping is unambiguous.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")


def escape_formulas(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row, with an apostrophe before each string that starts like a formula."""
    return {**{name: _escaped(cell) for name, cell in cells.items()}, ESCAPED: "true"}


def unescape_formulas(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `escape_formulas`; other rows are unchanged."""
    # Spreadsheets write the flag in capitals.
    if str(cells.get(ESCAPED)).lower() != "true":
        return dict(cells)
    return {name: _unescaped(cell) for name, cell in cells.items() if name != ESCAPED}


def _escaped(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _unescaped(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith("'") and _FORMULA.match(cell):
        return cell[1:]
    return cell
