"""Score curves over a dense sweep (figure 3), with the masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ep_core.evaluation.reporting.gallery import picture_each
from ep_core.evaluation.reporting.report import EvaluationReport
from ep_core.evaluation.reporting.strips import strip, strip_table
from ep_core.extremal.explanation import Explanation
from ep_core.models.classifier import Classifier
from ep_core.pictures.overlays import overlay, png
from ep_core.pictures.plot import curve_plot
from ep_core.schemas.specs import ExtremalSpec

from .run import OnRunProgress, unwatched

BENCHMARK = "curves"
MOST_TILES = 9


def curves(
    model: Classifier,
    photographs: Sequence[Path],
    spec: ExtremalSpec,
    *,
    out: Path,
    on_progress: OnRunProgress = unwatched,
) -> EvaluationReport:
    """Draw the preservation and the deletion curve of each photograph's top class, and some of the masks (figure 3).

    Args:
        model: the classifier.
        photographs: files.
        spec: the sweep, over many areas.
        out: folder of the reports; the log and the pictures go into its folder ``curves``.
        on_progress: called with the share that is done.

    Raises:
        InvalidInput: the log in `out` is of a run with other settings.
    """
    return picture_each(
        BENCHMARK,
        model,
        photographs,
        spec,
        lambda one: {".svg": _plot(one), ".png": png(mask_strip(one))},
        captions={".svg": "Preservation and deletion.", ".png": "Masks, with their areas."},
        out=out,
        on_progress=on_progress,
        title="Score curves",
        about="Scores as the mask is all that is kept, and as it is taken away, over its area (figure 3).",
    )


def mask_strip(one: Explanation) -> Image.Image:
    """Return up to `MOST_TILES` of the overlays, evenly spread over the sweep."""
    areas = one.spec.areas
    shown = sorted({round(k) for k in np.linspace(0, len(areas) - 1, min(len(areas), MOST_TILES))})
    picture, masks = np.asarray(one.image), one.masks[:, 0].numpy()
    return strip_table([f"{areas[k]:g}" for k in shown], {"": strip([overlay(picture, masks[k]) for k in shown])})


def _plot(one: Explanation) -> bytes:
    return curve_plot(
        one.curve,
        one.scores,
        one.optimal_area,
        title=f"{one.target.label} · {one.model.name} · {one.spec.variant}",
        xlabel="area of the mask (% of the image)",
        head=one.model.outputs,
        unit=100,
    )
