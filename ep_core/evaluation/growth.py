"""Area growth (figure 5): masks of growing areas, each with its score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ep_core.evaluation.reporting.gallery import picture_each
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.evaluation.reporting.strips import GAP, strip, strip_table
from ep_core.extremal.explanation import Explanation
from ep_core.models.classifier import Classifier
from ep_core.pictures.overlays import overlay, png
from ep_core.pictures.plot import PRESERVE
from ep_core.schemas.specs import ExtremalSpec

from .run import OnRunProgress, unwatched

BENCHMARK = "growth"
SATURATED = 1.25
"""Share of Phi_0 at which bars end (figure 5)."""
TILE, BAR = 160, 16  # pixels


def growth(
    model: Classifier,
    photographs: Sequence[Path],
    spec: ExtremalSpec,
    *,
    out: Path,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Draw the masks of each photograph's top class by increasing area, each learned independently (figure 5).

    Args:
        model: the classifier.
        photographs: files.
        spec: the sweep; its masks are made independent.
        out: folder of the reports; the log and the pictures go into its folder ``growth``.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: the log in `out` is of a run with other settings.
    """
    return picture_each(
        BENCHMARK,
        model,
        photographs,
        spec.model_copy(update={"independent": True}),
        lambda one: {".png": png(growth_row(one))},
        captions={".png": f"Bars: score of the mask as a share of Phi_0 (the tick), cut off at {SATURATED:.0%}."},
        out=out,
        on_progress=on_progress,
        title="Area growth",
        about="Masks of increasing area, each learned independently from the whole image, and their scores (figure 5).",
    )


def growth_row(one: Explanation) -> Image.Image:
    """Return the image and its overlays by increasing area, each above a bar of ``Phi(m_a x) / Phi_0``."""
    picture = np.asarray(one.image)
    tiles = [one.image, *(overlay(picture, mask) for mask in one.masks[:, 0].numpy())]
    row = strip(tiles, tile=TILE)
    bars = Image.new("RGB", (row.width, row.height + GAP + BAR), "white")
    bars.paste(row, (0, 0))
    draw = ImageDraw.Draw(bars)
    for k, point in enumerate(one.curve, start=1):
        _bar(draw, (k * (TILE + GAP), row.height + GAP), share_of(point.preserve, one.scores.threshold))
    return strip_table(
        [shorten(one.target.label, 22, placeholder="..."), *(f"{point.area:.3g}" for point in one.curve)], {"": bars}
    )


def share_of(score: float, threshold: float | None) -> float:
    """Return a score as a share of Phi_0, in [0, `SATURATED`]; of one that isn't positive, all or nothing."""
    if threshold is None:
        return 0.0
    share = score / threshold if threshold > 0 else SATURATED * (score >= threshold)
    return min(max(share, 0.0), SATURATED)


def _bar(draw: ImageDraw.ImageDraw, corner: tuple[int, int], share: float) -> None:
    """Draw a bar with its percentage, in the bar where that is long enough, beside it otherwise."""
    left, top = corner
    width = round(TILE * share / SATURATED)
    draw.rectangle((left, top, left + TILE - 1, top + BAR - 1), fill="#e8e8e8")
    if width > 0:
        draw.rectangle((left, top, left + width - 1, top + BAR - 1), fill=PRESERVE)
    tick = left + TILE / SATURATED
    draw.line((tick, top, tick, top + BAR - 1), fill="black")
    inside = width > 3 * BAR
    place, colour = (left + 5, "white") if inside else (left + width + 5, "black")
    draw.text((place, top + BAR / 2), f"{share:.0%}", fill=colour, font=ImageFont.load_default(11), anchor="lm")
