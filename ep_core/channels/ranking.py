"""Ranking of a mask's channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ep_core.models.split import Split
from ep_core.optimiser.lanes import Lane, Objective
from ep_core.schemas.reports.channels import ChosenChannel
from ep_core.schemas.specs import Variant

CHOSEN = 0.5  # a mask holds the channels whose value is at least this


def ranked_channels(
    parts: Split, masks: Tensor, optimal: Tensor, target: int, counts: Sequence[int], *, variant: Variant
) -> list[ChosenChannel]:
    """Return the channels that a mask holds, those first that the sweep's smallest masks hold too.

    Among equals, those come first whose loss costs most, by ``m_k dV/dm_k`` at the mask, V being the variant's
    objective.

    Args:
        parts: the network, split at the layer.
        masks: counts x K in [0, 1].
        optimal: K, the mask.
        target: class index.
        counts: of the masks, increasing.
        variant: what the masks maximise.
    """
    contribution = (optimal * _slope(parts, optimal, target, variant)).tolist()
    first = dict.fromkeys(range(len(optimal)), counts[-1])
    for count, mask in reversed(list(zip(counts, masks, strict=True))):
        first |= dict.fromkeys((mask >= CHOSEN).nonzero().flatten().tolist(), count)
    chosen = [
        ChosenChannel(channel=k, first_area=first[k], weight=weight, contribution=contribution[k])
        for k, weight in enumerate(optimal.tolist())
        if weight >= CHOSEN
    ]
    return sorted(chosen, key=lambda one: (one.first_area, -one.contribution, one.channel))


def _slope(parts: Split, mask: Tensor, target: int, variant: Variant) -> Tensor:
    """Return the gradient of the objective at a mask (K values)."""
    device = parts.activation.device
    objective = Objective(parts.scores, [Lane(0, target, 1.0, variant, end=1)], device)
    with torch.enable_grad():
        row = mask.to(device)[None, :, None, None].requires_grad_()
        (slope,) = torch.autograd.grad(objective(row).sum(), row)
    return slope.flatten().cpu()
