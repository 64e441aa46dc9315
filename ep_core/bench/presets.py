"""The preset `fast` against the preset `paper`, at equal areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from ep_core.engine import explain
from ep_core.models.classifier import Classifier
from ep_core.schemas.reports.extremal import CurvePoint
from ep_core.schemas.specs import ExtremalSpec


@dataclass(frozen=True)
class PresetComparison:
    """One image, explained by both presets."""

    label: str
    original: float
    """Phi(x)."""
    paper: list[CurvePoint]
    fast: list[CurvePoint]
    """At the areas that the paper preset's masks have."""
    paper_seconds: float
    fast_seconds: float

    @property
    def gains(self) -> list[float]:
        """(score of fast - score of paper) / Phi(x), for each area."""
        return [
            (ours.preserve - theirs.preserve) / self.original
            for ours, theirs in zip(self.fast, self.paper, strict=True)
        ]


def compare_presets(
    model: Classifier, image: Image.Image, areas: Sequence[float], *, iterations: int | None = None
) -> PresetComparison:
    """Explain an image's top class by both presets, `fast` at the areas that the masks of `paper` turn out to have.

    Args:
        model: the classifier.
        image: the photograph.
        areas: the areas requested of `paper`.
        iterations: of `paper`; None takes its 1600.
    """
    paper = explain(
        model, image, ExtremalSpec(preset="paper", areas=tuple(areas), iterations=iterations, check_extremality=False)
    )
    measured = sorted(paper.curve, key=lambda point: point.measured_area)
    shares = tuple(point.measured_area for point in measured)
    spec = ExtremalSpec(target=paper.target.index, areas=shares).masks_only()
    fast = explain(model, image, spec)
    return PresetComparison(
        label=paper.target.label,
        original=paper.scores.original,
        paper=measured,
        fast=fast.curve,
        paper_seconds=paper.timing.run_s,
        fast_seconds=fast.timing.run_s,
    )
