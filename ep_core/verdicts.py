"""Verdicts on a result, in sentences for the terminal. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from .report import Alternative, Contrast, Extremality, Stability, StabilityPoint

NEARLY_THE_SAME, MOSTLY_THE_SAME = 0.7, 0.4
"""From which agreement on another run is expected to give nearly, or mostly, the same region; below, it may choose
another one. The page says the same (`steadiness.js`)."""


def verdict(optimal: float | None, label: str, variant: str, tau: float) -> str:
    """Return what the optimal area means, in a sentence."""
    if variant == "delete":
        if optimal is None:
            return f"No area of the sweep is enough to take {label!r} away."
        return f"Without {optimal:.1%} of the image, nothing is left of {label!r}."
    level = "the original score" if tau == 1 else f"{tau:g} of the original score"
    if optimal is None:
        return f"No area of the sweep reaches {level} of {label!r}: try larger areas, or a lower --threshold."
    return f"{optimal:.1%} of the image suffices for {level} of {label!r}."


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
    if found.extremal:
        return f"No mask of {rivals} scores higher than the extremal one of its area."
    beaten = "; ".join(f"{point.area:.1%} by {', '.join(point.beaten_by)}" for point in found.points if point.beaten_by)
    return f"Not extremal: of {rivals}, some score higher than our mask of the same area: {beaten}."
