"""Plot of several methods' score curves, with their top areas kept and with them deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ep_core.pictures.plot import as_svg, score_label, svg_style
from ep_core.schemas.specs import EXTREMAL

if TYPE_CHECKING:
    from .comparison import Comparison


def comparison_plot(comparison: Comparison) -> bytes:
    """Return Phi(m x) (left) and Phi((1-m) x) (right) over the area for every method, as SVG."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    areas = [100 * area for area in comparison.spec.areas]
    colours = colormaps["tab20"]
    with svg_style(11):
        figure = Figure(figsize=(11, 5.6), layout="constrained")
        kept, deleted = figure.subplots(1, 2, sharey=True)
        titles = "top areas kept: higher is better", "top areas deleted: lower is better"
        for axes, title in zip((kept, deleted), titles, strict=True):
            axes.axhline(comparison.scores.original, color="0.3", linewidth=1, label="original image")
            axes.axhline(comparison.scores.perturbed, color="0.3", linewidth=1, linestyle=":", label="fully perturbed")
            axes.set(title=title, xlabel=f"area (% of {comparison.coverage.whole})")
            axes.set_xlim(0, max(areas) * 1.04)
            axes.spines[["top", "right"]].set_visible(False)
        for k, one in enumerate(comparison.answers):
            style = {"color": "black", "linewidth": 2.4} if one.method == EXTREMAL else {"color": colours(k % 20)}
            kept.plot(areas, [p.preserve for p in one.curve], marker="o", markersize=3, label=one.title, **style)
            deleted.plot(areas, [p.delete for p in one.curve], marker="o", markersize=3, **style)
        kept.set_ylabel(score_label(comparison.model.outputs))
        figure.suptitle(f"{comparison.target.label} · {comparison.model.name}", fontsize=12)
        handles, labels = kept.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
        return as_svg(figure)
