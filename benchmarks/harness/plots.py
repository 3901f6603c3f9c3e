"""Draws curves as SVG for light and dark pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

_NUMBERS = "{x:,.0f}"
_INK = "#808890"  # equally far from white and from black
_COLORS = {
    "conversations-client": "#e0592a",
    "plain httpx": "#3d86d9",
    "httpx + httpx-aiohttp": "#9a6fd0",
    "plain aiohttp": "#2f9e6e",
    "plain httpx2": "#b58a1b",
}
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _INK,
    "grid.alpha": 0.25,
    "savefig.transparent": True,
}


@dataclass(frozen=True)
class Panel:
    """One half of a plot.

    Attributes:
        title: What the curves show, and in which unit.
        curves: The points of each curve, by label.
        is_logarithmic: Whether the vertical axis is logarithmic.
    """

    title: str
    curves: Mapping[str, Sequence[tuple[float, float]]]
    is_logarithmic: bool = False


def draw(path: Path, across: str, panels: Sequence[Panel]) -> None:
    """Write the panels side by side, with the same logarithmic horizontal axis."""
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(9, 3.4), layout="constrained")
        for axis, panel in zip(axes, panels, strict=True):
            for label, points in panel.curves.items():
                axis.plot(*zip(*points, strict=True), "o-", ms=4, label=label, color=_COLORS[label])
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter(_NUMBERS)
            axis.minorticks_off()
            if panel.is_logarithmic:
                axis.set_yscale("log")
                axis.yaxis.set_major_formatter(_NUMBERS)
                axis.yaxis.set_minor_formatter("")
            else:
                highest = max(y for points in panel.curves.values() for _, y in points)
                axis.set_ylim(0, 1.1 * highest)
            axis.set_title(panel.title, fontsize=10)
            axis.set_xlabel(across)
        axes[0].legend(frameon=False, fontsize=9)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
