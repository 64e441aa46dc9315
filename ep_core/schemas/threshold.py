"""Threshold of an optimal area (3.2): its value by each rule, and the cases in which there is none.

Imports no torch.
"""

from __future__ import annotations

from ep_core.schemas.reports.common import Scores, ThresholdRule

from .model_card import LayerCard
from .specs import Variant
from .warnings import ResultWarning

KIND = "threshold"


def threshold_of(
    original: float, perturbed: float, *, variant: Variant, tau: float
) -> tuple[float | None, ThresholdRule]:
    """Return the threshold, and the rule that gives it.

    Args:
        original: Phi(x).
        perturbed: the score of the fully perturbed image.
        variant: for ``"delete"`` scores have to fall to the threshold, else to rise to it.
        tau: above 0; what share of the score, or of the way between both scores, is to be reached.

    Returns:
        ``tau * original`` by ``"share-of-original"`` (eq. 3), or, where that isn't positive, ``perturbed + tau *
        (original - perturbed)`` by ``"between"``; for ``"delete"``, ``original - tau * (original - perturbed)`` by
        ``"way-down"``. None by ``"none"`` where the perturbed image scores no less than the original: there is no way.
    """
    way = original - perturbed
    if not way > 0:
        return None, "none"
    if variant == "delete":
        return perturbed + (1 - tau) * way, "way-down"  # exact for a tau of 1, as is the other way
    if original > 0:
        return tau * original, "share-of-original"
    return original - (1 - tau) * way, "between"


def threshold_warnings(
    scores: Scores, *, perturbed: str = "the fully perturbed image", change: str = "another target or perturbation"
) -> tuple[ResultWarning, ...]:
    """Return warnings that qualify an optimal area: no threshold, or one that nothing at all reaches.

    Args:
        scores: the reference scores.
        perturbed: what the perturbed score is of.
        change: what to choose instead, where there is no threshold.
    """
    if scores.threshold is None:
        detail = (
            f"{perturbed} scores {scores.perturbed:.4g}, no less than the original's {scores.original:.4g}: there is "
            f"nothing to keep or to take away, so no threshold and no optimal area; choose {change}"
        )
        return (ResultWarning(kind=KIND, detail=detail),)
    if scores.threshold_rule == "share-of-original" and scores.threshold <= scores.perturbed:
        detail = (
            f"{perturbed} scores {scores.perturbed:.4g} and reaches the threshold of {scores.threshold:.4g} with "
            f"nothing kept, so the optimal area says little; "
            f"use a threshold above {scores.perturbed / scores.original:.4g}"
        )
        return (ResultWarning(kind=KIND, detail=detail),)
    return ()


def without_channels(layer: LayerCard) -> str:
    """Return a description of a layer's perturbed score, in words."""
    return f"the image without the channels of {layer.name}"
