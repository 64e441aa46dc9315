"""Best known mask of each area: the sweep's own, a rival's, a refined rival, or a later one.

No mask is returned that a known one of the same area and family beats (eq. 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ep_core.masks.scores import ClassScores
from ep_core.schemas.reports.extremal import CurvePoint, Extremality
from ep_core.schemas.specs import SpatialSpec, Variant

from .extremality import OWN, Rivals, beats, check_extremality, objective_values
from .preparation import Prepared
from .search import Search

Refine = Callable[[Sequence[float], Tensor], Tensor]
"""Areas of N lanes and their starts (N x H x W) -> N x 1 x H x W, the masks that refinement ends at."""


@dataclass(frozen=True)
class Best:
    """Masks of a sweep as they are returned, the best ones known."""

    masks: Tensor
    """K x 1 x H x W in [0, 1]."""
    curve: list[CurvePoint]
    found_by: tuple[str, ...]
    """The origin of each: `OWN`, or a name of what led to it."""
    variant: Variant
    rivals: Rivals | None = None
    """Masks that these were compared with."""
    values: Tensor | None = None
    """R x K, the rivals' objective."""

    @property
    def extremality(self) -> Extremality | None:
        """The masks beside their rivals; None where there were none."""
        if self.rivals is None or self.values is None:
            return None
        return check_extremality(self.curve, self.variant, self.rivals, self.values, self.found_by)

    def taking(self, place: int, mask: Tensor, point: CurvePoint, origin: str) -> Best:
        """Return the same with another mask (1 x H x W) at one place, with the point's scores."""
        masks, curve, found_by = self.masks.clone(), list(self.curve), list(self.found_by)
        masks[place], curve[place], found_by[place] = mask, point, origin
        return replace(self, masks=masks, curve=curve, found_by=tuple(found_by))


def beside_rivals(
    sweep: Prepared[SpatialSpec],
    scores: ClassScores,
    masks: Tensor,
    curve: list[CurvePoint],
    rivals: Rivals,
    search: Search | None,
) -> Best:
    """Return the best known mask of each area, and its comparison with the rivals.

    Args:
        sweep: the image.
        scores: of the image under masks, by the network as it is.
        masks: K x 1 x H x W, the sweep's own, by increasing area.
        curve: their points.
        rivals: of the same areas.
        search: refines rivals that beat a mask; None leaves the masks as they are.
    """
    spec = sweep.spec
    values = objective_values(scores, rivals.masks, sweep.target, spec.variant)
    if search is None:
        return Best(masks, curve, (OWN,) * len(masks), spec.variant, rivals, values)
    refine = partial(search.of_areas, sweep)
    best, found_by = best_known(
        scores, masks, rivals, values, areas=spec.areas, target=sweep.target, variant=spec.variant, refine=refine
    )
    if any(name != OWN for name in found_by):
        curve = sweep.curve(scores, best)
    return Best(best, curve, tuple(found_by), spec.variant, rivals, values)


@torch.no_grad()
def best_known(
    scores: ClassScores,
    masks: Tensor,
    rivals: Rivals,
    rival_values: Tensor,
    *,
    areas: Sequence[float],
    target: int,
    variant: Variant,
    refine: Refine,
) -> tuple[Tensor, list[str]]:
    """Return the best known mask of each area; a rival that beats the sweep's own is refined.

    Args:
        scores: of the image under masks, by the network as it is.
        masks: K x 1 x H x W, the sweep's own, by increasing area.
        rivals: of the same areas.
        rival_values: R x K, their objective (`objective_values`).
        areas: K shares of the image.
        target: class index.
        variant: of the objective.
        refine: moves masks up the objective.

    Returns:
        K x 1 x H x W, and the origin of each: `OWN`, or a rival's name.
    """
    own = objective_values(scores, masks, target, variant)
    strongest, rows = rival_values.max(dim=0)
    beaten = [k for k in range(len(areas)) if beats(float(strongest[k]), float(own[k]))]
    best, found_by = masks.clone(), [OWN] * len(areas)
    for k in beaten:
        best[k], found_by[k] = rivals.masks[rows[k], k], rivals.names[rows[k]]
    if beaten:
        refined = refine([areas[k] for k in beaten], best[beaten, 0])
        values = objective_values(scores, refined, target, variant)
        for k, mask, value in zip(beaten, refined, values.tolist(), strict=True):
            if value > strongest[k]:
                best[k] = mask
    return best, found_by
