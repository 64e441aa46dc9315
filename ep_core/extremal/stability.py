"""Stability of a result: the agreement of the two halves of its walks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ep_core.masks.scores import ClassScores
from ep_core.schemas.curve import optimal_area
from ep_core.schemas.reports.common import Scores
from ep_core.schemas.reports.extremal import CurvePoint, Stability, StabilityPoint
from ep_core.schemas.specs import Variant

from .extremality import objective_values
from .top_area import top_area_masks
from .walks import Survival


@torch.no_grad()
def stability(
    survival: Survival,
    scores: ClassScores,
    curve: Sequence[CurvePoint],
    reference: Scores,
    *,
    target: int,
    variant: Variant,
    patches: tuple[int, int] | None = None,
) -> Stability:
    """Return the agreement of the walks, area by area.

    The two halves are independent searches of half the length; each one's masks are the top areas of what survives in
    it, before refinement.

    Args:
        survival: of the walks.
        scores: of the image under masks.
        curve: of the sweep's masks.
        reference: the scores that the curve is to reach.
        target: class index.
        variant: what is maximised.
        patches: as for `top_area_masks`.
    """
    areas = [point.area for point in curve]
    masks = torch.stack([_own_area(half, areas, patches) for half in survival.halves])
    values = objective_values(scores, masks, target, variant)
    spreads = (values[0] - values[1]).abs().tolist()
    first, second = survival.halves.mean(dim=1)
    return Stability(
        walks=survival.walks,
        saliency_correlation=rank_correlation(first, second),
        optimal_areas=_range(curve, spreads, reference, variant),
        points=[
            StabilityPoint(area=area, agreement=agreement, spread=spread)
            for area, agreement, spread in zip(areas, overlaps(masks[0], masks[1]), spreads, strict=True)
        ],
    )


def _own_area(maps: Tensor, areas: Sequence[float], patches: tuple[int, int] | None) -> Tensor:
    """Return of each map (K x H x W) the mask of its own area: K x 1 x H x W."""
    pairs = zip(maps, areas, strict=True)
    return torch.cat([top_area_masks(one[None], [area], patches=patches)[0] for one, area in pairs])


def _range(
    curve: Sequence[CurvePoint], spreads: Sequence[float], reference: Scores, variant: Variant
) -> tuple[float | None, float | None]:
    """Return a* if every score were better by its spread, and if it were worse."""
    better, worse = (
        [
            point.model_copy(update={"preserve": point.preserve + sign * by, "delete": point.delete - sign * by})
            for point, by in zip(curve, spreads, strict=True)
        ]
        for sign in (1, -1)
    )
    return optimal_area(better, reference, variant), optimal_area(worse, reference, variant)


def overlaps(first: Tensor, second: Tensor) -> list[float]:
    """Return the intersection over union of masks above one half: N x ... and N x ... -> N numbers in [0, 1]."""
    a, b = (masks.flatten(1) > 0.5 for masks in (first, second))
    union = (a | b).sum(dim=1).cpu()  # not every device computes in double precision
    shares = (a & b).sum(dim=1).cpu().double() / union.clamp_min(1)
    return torch.where(union > 0, shares, 1.0).tolist()


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Return Spearman's rank correlation of two maps of one shape, equal values ranked in memory's order."""
    ranks = torch.stack([one.flatten().argsort(stable=True).argsort().cpu().double() for one in (first, second)])
    return float(torch.corrcoef(ranks)[0, 1])
