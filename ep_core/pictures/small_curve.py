"""Score curve as a small picture without letters, for pages that have many of them."""

from __future__ import annotations

from collections.abc import Sequence

from ep_core.schemas.curve import Point
from ep_core.schemas.reports.common import Scores

from .plot import DELETE, PRESERVE

WIDTH, HEIGHT, MARGIN = 240, 90, 6
LINE = "#8a919a"  # seen on white and on black


def small_curve(curve: Sequence[Point[float]], scores: Scores, optimal: float | None) -> str:
    """Return the scores of a sweep over the area, from 0 to its largest area, as SVG.

    Args:
        curve: by increasing area. The scores of the masks are drawn in the colours of `curve_plot`.
        scores: the reference scores; a line is at their threshold.
        optimal: a*, if there is one; it has a dashed line.
    """
    levels = [scores.original, scores.perturbed, *([] if scores.threshold is None else [scores.threshold])]
    levels += [score for point in curve for score in (point.preserve, point.delete)]
    low, high = min(levels), max(levels)
    widest = max(point.area for point in curve)

    def x(area: float) -> str:
        return f"{MARGIN + (WIDTH - 2 * MARGIN) * area / widest:.1f}"

    def y(score: float) -> str:
        return f"{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (score - low) / ((high - low) or 1):.1f}"

    def path(points: Sequence[tuple[float, float]], colour: str) -> str:
        line = " ".join(f"{x(area)},{y(score)}" for area, score in points)
        dots = "".join(f'<circle cx="{x(area)}" cy="{y(score)}" r="2.4"/>' for area, score in points)
        return (
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"/><g fill="{colour}">{dots}</g>'
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    ]
    if scores.threshold is not None:
        level = y(scores.threshold)
        parts.append(f'<path d="M0 {level}H{WIDTH}" stroke="{LINE}" stroke-width="1"/>')
    if optimal is not None:
        parts.append(f'<path d="M{x(optimal)} 0V{HEIGHT}" stroke="{LINE}" stroke-width="1" stroke-dasharray="4 3"/>')
    parts.append(path([(point.area, point.delete) for point in curve], DELETE))
    parts.append(path([(point.area, point.preserve) for point in curve], PRESERVE))
    return "".join([*parts, "</svg>"])
