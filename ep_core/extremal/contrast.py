"""Contrast: the mask that most lifts the target's score above that of its nearest rival class."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.schemas.reports.common import MaskPredictions, TargetRef
from ep_core.schemas.reports.extremal import Contrast


def nearest_class(scores: Tensor, target: int) -> int:
    """Return the class that scores highest beside the target; scores are C."""
    others = scores.clone()
    others[target] = -torch.inf
    return int(others.argmax())


def contrast_of(
    whole: Tensor,
    kept: Tensor,
    mask: Tensor,
    *,
    area: float,
    target: int,
    rival: int,
    named: TargetRef,
    predictions: MaskPredictions | None = None,
) -> Contrast:
    """Return the contrast of a mask: the scores of the target and of the rival.

    Args:
        whole: C, the scores of the whole image.
        kept: C, the scores when only the mask is kept.
        mask: 1 x 1 x H x W.
        area: that was wanted.
        target: class index.
        rival: class index.
        named: what a report says of the rival.
        predictions: under the mask.
    """
    of_target, of_rival = kept[[target, rival]].tolist()
    return Contrast(
        rival=named,
        area=area,
        measured_area=float(mask.mean()),
        original=float(whole[target] - whole[rival]),
        preserve=of_target - of_rival,
        target_score=of_target,
        rival_score=of_rival,
        predictions=predictions,
    )
