"""Why this and not that: the mask that most lifts the target's score above its nearest rival class's."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.curve import masked_scores
from ep_core.lanes import ClassScores
from ep_core.report import Contrast, TargetRef


@torch.no_grad()
def nearest_class(scores: Tensor, target: int) -> int:
    """Return the class that scores highest beside the target; scores are C."""
    others = scores.clone()
    others[target] = -torch.inf
    return int(others.argmax())


@torch.no_grad()
def contrast_of(scores: ClassScores, mask: Tensor, *, area: float, target: int, rival: TargetRef) -> Contrast:
    """Return what a mask says for the target and against the rival.

    Args:
        scores: of the image under masks.
        mask: 1 x 1 x H x W.
        area: that was wanted.
        target: class index.
        rival: the class.
    """
    whole, kept = masked_scores(scores, torch.cat([torch.ones_like(mask), mask]))[:, [target, rival.index]].tolist()
    return Contrast(
        rival=rival,
        area=area,
        measured_area=float(mask.mean()),
        original=whole[0] - whole[1],
        preserve=kept[0] - kept[1],
        target_score=kept[0],
        rival_score=kept[1],
    )
