"""Insertion and deletion (Petsiuk, Das and Saenko, RISE, BMVC 2018): a class's probability as pixels come or go."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

STEPS = 28
"""Steps from one image to the other, a 28th of the pixels each: eight rows of 224 x 224 pixels, where they take one."""
CHUNK = 16  # images scored in one batch


@torch.no_grad()
def pixel_curve(network: nn.Module, start: Tensor, end: Tensor, saliency: Tensor, target: int) -> list[float]:
    """Return a class's probability as one image turns into another, the pixels that matter most first.

    Insertion turns the blurred image into the image, deletion the image into the mean colour.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode.
        start: 1 x 3 x H x W.
        end: 1 x 3 x H x W.
        saliency: H x W, higher matters more; only its order counts, and equal pixels go row by row.
        target: class index.

    Returns:
        ``STEPS + 1`` softmax probabilities, after 0, 1/STEPS ... 1 of the pixels.
    """
    pixels = saliency.numel()
    places = saliency.flatten().argsort(descending=True, stable=True).argsort()
    counts = torch.arange(STEPS + 1, device=places.device) * pixels // STEPS
    turned = (places < counts[:, None]).view(-1, 1, *saliency.shape)
    scores = torch.cat([network(torch.where(chunk, end, start)) for chunk in turned.split(CHUNK)])
    probabilities: list[float] = scores.softmax(dim=1)[:, target].tolist()
    return probabilities


def area_under(places: Sequence[float], values: Sequence[float]) -> float:
    """Return the area under a curve by the trapezium rule.

    Args:
        places: where the curve is known, increasing.
        values: as many.
    """
    x, y = torch.tensor([places, values], dtype=torch.float64)
    return float(torch.trapezoid(y, x))
