"""Verdicts on a result, in sentences for the terminal. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ep_core.schemas.model_card import LayerCard
from ep_core.schemas.pixels import Coverage
from ep_core.schemas.reports.common import Scores
from ep_core.schemas.reports.extremal import Alternative, Contrast, Extremality, Stability, StabilityPoint
from ep_core.schemas.specs import Variant
from ep_core.schemas.threshold import without_channels

NEARLY_THE_SAME, MOSTLY_THE_SAME = 0.7, 0.4
"""From which agreement on another run is expected to give nearly, or mostly, the same region; below, it may choose
another one. The page says the same (`steadiness.js`)."""


def shown_probability(probability: float | None) -> str:
    """Return a probability as tables show it; a dash where a score has none."""
    return "–" if probability is None else f"{probability:.3f}"


@dataclass(frozen=True)
class Goal:
    """The threshold of a sweep, in words, as its rule has it."""

    label: str
    variant: Variant
    tau: float
    scores: Scores
    unit: str = "area"
    perturbed: str = "the fully perturbed image"

    def verdict(self, part: str | None, suffices: str = "suffices") -> str:
        """Return what it means that a part of the image, or None, reaches the threshold, in a sentence."""
        if self.scores.threshold_rule == "none":
            original, perturbed = f"{self.scores.original:.2f}", f"{self.scores.perturbed:.2f}"
            return (
                f"There is no threshold: {self.label!r} scores {original}, and {self.perturbed} no less ({perturbed})."
            )
        reached = self._deletion(part) if self.variant == "delete" else self._preservation(part, suffices)
        return f"{reached}." if part else f"{reached}: try larger {self.unit}s, or a lower --threshold."

    def _preservation(self, part: str | None, suffices: str) -> str:
        way = "way up to the " if self.scores.threshold_rule == "between" else ""
        level = "the original score" if self.tau == 1 else f"{self.tau:g} of the {way}original score"
        if part:
            return f"{part} {suffices} for {level} of {self.label!r}"
        return f"No {self.unit} of the sweep reaches {level} of {self.label!r}"

    def _deletion(self, part: str | None) -> str:
        if self.tau == 1:
            if part:
                return f"Without {part}, nothing is left of {self.label!r}"
            return f"No {self.unit} of the sweep is enough to remove {self.label!r}"
        way = f"{self.tau:g} of the way down to that of {self.perturbed}"
        if part:
            return f"Without {part}, the score of {self.label!r} falls {way}"
        return f"No {self.unit} of the sweep takes the score of {self.label!r} {way}"


def verdict(optimal: float | None, goal: Goal, coverage: Coverage | None = None) -> str:
    """Return what the optimal area means, in a sentence; None for coverage: the network sees just the image."""
    return goal.verdict(None if optimal is None else f"{optimal:.1%} of {coverage.whole if coverage else 'the image'}")


def coverage_verdict(found: Coverage) -> str:
    """Return how much of the image the network sees, in a sentence; empty where it is just the image."""
    if found.is_cut:
        return f"The network sees {found.image:.0%} of the image: with --fit whole it sees all of it, padded."
    if found.is_padded:
        return f"The network sees all of the image, which fills {found.frame:.0%} of its frame: the rest is padding."
    return ""


def channels_verdict(optimal: int | None, layer: LayerCard, goal: Goal) -> str:
    """Return what the optimal count of a layer's channels means, in a sentence."""
    part = None if optimal is None else f"{optimal} of the {layer.channels} channels of {layer.name}"
    return replace(goal, unit="count", perturbed=without_channels(layer)).verdict(part, suffices="suffice")


def stability_verdict(found: Stability, optimal: float | None) -> str:
    """Return how far another run may give another answer, in a sentence or two.

    Args:
        found: how far the walks agree.
        optimal: a*, of whose region is said how steady it is; None: of the area where they agree least.
    """
    least = min(found.points, key=lambda point: point.agreement)
    point = next((point for point in found.points if point.area == optimal), least)
    return _steadiness(point) + _range(found.optimal_areas)


def _steadiness(point: StabilityPoint) -> str:
    where = f"at {point.area:.1%} (agreement {point.agreement:.2f})"
    if point.agreement >= NEARLY_THE_SAME:
        return f"Steady: another run gives nearly the same region {where}."
    if point.agreement >= MOSTLY_THE_SAME:
        return f"Mostly steady: another run gives mostly the same region {where}."
    return f"Varies: another run may choose another region {where}."


def _range(areas: tuple[float | None, float | None]) -> str:
    least, most = areas
    if least is None or least == most:
        return ""
    if most is None:
        return f" Where runs differ, {least:.1%} may be enough, or no area of the sweep."
    return f" Where runs differ, {least:.1%} to {most:.1%} is enough."


def alternatives_verdict(found: Sequence[Alternative]) -> str:
    """Return which other regions suffice by themselves, in a sentence; there is at least one."""
    masks = "; ".join(f"{one.area:.1%} that scores {one.preserve:.2f}, overlap {one.overlap:.0%}" for one in found)
    return f"Either that region suffices, or another: {masks}."


def contrast_verdict(found: Contrast, label: str) -> str:
    """Return what speaks for the target and against its nearest rival, in a sentence."""
    rival = found.rival.label
    return (
        f"Why {label!r} and not {rival!r}: with {found.area:.1%} kept they score {found.target_score:.2f} and "
        f"{found.rival_score:.2f}, {found.preserve:.2f} apart; {found.original:.2f} in the whole image."
    )


def extremality_verdict(found: Extremality) -> str:
    """Return what the check of extremality found, in a sentence."""
    rivals = f"{len(found.methods)} other methods and {found.random_masks} random masks"
    by_more = f" by more than {found.tolerance:.1%}"
    if found.extremal:
        return f"No mask of {rivals} scores higher than the extremal one of its area{by_more}."
    beaten = "; ".join(f"{point.area:.1%} by {', '.join(point.beaten_by)}" for point in found.points if point.beaten_by)
    return f"Not extremal: of {rivals}, some score higher than our mask of the same area{by_more}: {beaten}."
