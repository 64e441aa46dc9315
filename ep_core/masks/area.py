"""The area constraint of section 3.3: a loss that ranks the mask's values, without sorting them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def area_pixels(area: float, pixels: int) -> int:
    """Return how many of `pixels` a mask of this area holds: at least one, at most all."""
    return min(max(round(area * pixels), 1), pixels)


def ranked_area_loss(masks: Tensor, ones: Sequence[int]) -> Tensor:
    """Return ``R_a(m) = mean((vecsort(m) - r_a)^2)`` for each mask, r_a holding zeros and then `ones` ones.

    The paper's squared norm is taken as a mean, which its lambda of 300 presumes. With S the sum of the n largest
    values, ``||vecsort(m) - r_a||^2 = ||m||^2 - 2 S + n``, so a partition does in place of the sort.

    Args:
        masks: K x ..., values in [0, 1].
        ones: K counts of ones, as `area_pixels` gives them.

    Returns:
        K losses in [0, 1], differentiable with respect to the masks.
    """
    return _RankedAreaLoss.apply(masks, tuple(ones))


class _RankedAreaLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, masks: Tensor, ones: tuple[int, ...]) -> Tensor:
        flat = masks.reshape(len(masks), -1)
        pixels = flat.shape[1]
        largest = [flat[k].topk(n, sorted=False) for k, n in enumerate(ones)]
        ranked = torch.stack([n - 2 * top.values.sum() for n, top in zip(ones, largest, strict=True)])
        ctx.save_for_backward(masks, *(top.indices for top in largest))
        return (flat.square().sum(dim=1) + ranked) / pixels

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        masks, *largest = ctx.saved_tensors
        slope = 2 * masks.reshape(len(masks), -1)
        for k, indices in enumerate(largest):
            slope[k, indices] -= 2
        return (slope * (grad / slope.shape[1])[:, None]).view(masks.shape), None
