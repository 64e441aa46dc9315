"""Plots of many lines, in panels that share a legend, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ep_core.pictures.plot import as_svg, svg_style

OWN = "Extremal perturbations"
"""The line that is drawn in black, above the others."""
DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Panel:
    """One plot."""

    title: str
    xlabel: str
    ylabel: str
    lines: Mapping[str, tuple[Sequence[float | str], Sequence[float]]]
    """Places and values by the name of the line; places may be words, which are the same for all lines then."""


def panels_plot(panels: Sequence[Panel], *, columns: int = 2, width: float = 4.6, markers: bool = False) -> bytes:
    """Return panels, `columns` beside each other, with one legend for all; a name has the same colour in each.

    Args:
        panels: at least one.
        columns: how many are beside each other.
        width: of a panel, in inches.
        markers: whether the values are marked.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    rows = -(-len(panels) // columns)
    with svg_style(10):
        legend_rows = -(-len(names) // 4)
        figure = Figure(figsize=(width * columns, 3.4 * rows + 0.25 * legend_rows + 0.1), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        drawn = {}
        for axes, panel in zip(grid.flat, panels, strict=False):
            for name, (places, values) in panel.lines.items():
                k = names.index(name)
                style = {"color": colormaps["tab10"](k % 10), "linestyle": DASHES[k // 10 % 4], "linewidth": 1.3}
                if name == OWN:
                    style = {"color": "black", "linestyle": "-", "linewidth": 2.2, "zorder": 3}
                (drawn[name],) = axes.plot(places, values, marker="o" if markers else None, markersize=3, **style)
            axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel)
            axes.set_title(panel.title, fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
            if any(isinstance(place, str) for places, _ in panel.lines.values() for place in places):
                axes.tick_params(axis="x", labelrotation=40, labelsize=8)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_axis_off()
        figure.legend(
            list(drawn.values()), list(drawn), loc="outside lower center", ncols=4, frameon=False, fontsize=8.5
        )
        return as_svg(figure)
