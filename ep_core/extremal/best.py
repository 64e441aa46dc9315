"""The best known mask of each area: the sweep's own, a rival's, or what refinement makes of the rival's.

No mask is returned that a known one of the same area and family beats (eq. 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ep_core.extremality import OWN, Rivals, beats, objective_values
from ep_core.lanes import ClassScores
from ep_core.spec import Variant

Refine = Callable[[Sequence[float], Tensor], Tensor]
"""Areas of N lanes and their starts (N x H x W) -> N x 1 x H x W, the masks that refinement ends at."""


@dataclass(frozen=True)
class Best:
    """A mask for each area of a sweep, the best one known."""

    masks: Tensor
    """K x 1 x H x W in [0, 1]."""
    found_by: list[str]
    """Where each was found: `OWN`, or a rival's name."""
    rival_values: Tensor
    """R x K, what the variant maximises at the rivals."""


@torch.no_grad()
def best_known(
    scores: ClassScores,
    masks: Tensor,
    rivals: Rivals,
    *,
    areas: Sequence[float],
    target: int,
    variant: Variant,
    refine: Refine,
) -> Best:
    """Return the best known mask of each area; a rival that beats the sweep's own is refined.

    Args:
        scores: of the image under masks, by the network as it is.
        masks: K x 1 x H x W, the sweep's own, by increasing area.
        rivals: of the same areas.
        areas: K shares of the image.
        target: class index.
        variant: what is compared.
        refine: moves masks up the objective.
    """
    own = objective_values(scores, masks, target, variant)
    theirs = objective_values(scores, rivals.masks, target, variant)
    strongest, rows = theirs.max(dim=0)
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
    return Best(best, found_by, theirs)
