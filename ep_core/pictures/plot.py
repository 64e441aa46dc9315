"""Plot of the score curve of figures 3 and 8, as SVG."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ep_core.schemas.curve import Point
from ep_core.schemas.model_card import Head
from ep_core.schemas.reports.common import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PRESERVE, DELETE, ORIGINAL, PERTURBED = "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728"  # the colours of figure 3

_drawing = threading.RLock()
"""Held while a plot is drawn: matplotlib's settings are the process's own."""


@contextmanager
def svg_style(size: float) -> Iterator[None]:
    """Draw plots whose letters stay letters, `size` points high, and of which the same figures give the same file."""
    from matplotlib import rc_context

    with (
        _drawing,
        rc_context({"svg.hashsalt": "ep", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": size}),
    ):
        yield


def as_svg(figure: Figure) -> bytes:
    """Return a plot as SVG, without a date."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def score_label(head: Head) -> str:
    """Return the name of an axis of scores."""
    if head == "score":
        return "score"
    return f"score (before the {'softmax' if head == 'softmax' else 'sigmoid'})"


def curve_plot(
    curve: Sequence[Point[float]],
    scores: Scores,
    optimal: float | None,
    *,
    title: str,
    xlabel: str,
    head: Head = "softmax",
    unit: float = 1,
    perturbed: str = "fully perturbed image",
    optimum: str = "optimal area",
) -> bytes:
    """Return Phi(m x) and Phi((1-m) x) over the area, with the scores of the original and the perturbed image.

    Args:
        curve: by increasing area.
        scores: the reference scores.
        optimal: a*, if there is one.
        title: what it is a curve of.
        xlabel: what the area is.
        head: of the model, which says what a score comes before.
        unit: what an area of 1 is shown as.
        perturbed: what the lower reference line is called.
        optimum: what a* is called.
    """
    from matplotlib.figure import Figure

    areas = [unit * point.area for point in curve]
    with svg_style(11):
        figure = Figure(figsize=(7, 4.6), layout="constrained")
        axes = figure.subplots()
        axes.axhline(scores.original, color=ORIGINAL, linewidth=1.2, label="original image")
        axes.axhline(scores.perturbed, color=PERTURBED, linewidth=1.2, label=perturbed)
        if scores.threshold not in (None, scores.original, scores.perturbed):
            axes.axhline(scores.threshold, color="0.4", linewidth=1, linestyle=":", label="threshold")
        axes.plot(areas, [p.preserve for p in curve], color=PRESERVE, marker="o", label="preserved: only the mask kept")
        axes.plot(areas, [p.delete for p in curve], color=DELETE, marker="o", label="deleted: the mask taken away")
        if optimal is not None:
            axes.axvline(unit * optimal, color="0.4", linewidth=1, linestyle="--", label=f"{optimum} {optimal:.4g}")
        axes.set(xlabel=xlabel, ylabel=score_label(head))
        axes.set_xlim(0, max(areas) * 1.04)
        axes.set_title(title, fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        return as_svg(figure)
