"""Insertion and deletion (Petsiuk, Das and Saenko, RISE, BMVC 2018): a class's probability as pixels come or go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 28
"""Steps from one image to the other, a 28th of the pixels each: eight rows of 224 x 224 pixels, where the authors' code
takes one (`authors_steps`)."""
BLUR_WINDOW = 11
BLUR_SIGMA = 5.0
CHUNK = 16  # images scored in one batch


@torch.no_grad()
def pixel_curve(
    network: Callable[[Tensor], Tensor], start: Tensor, end: Tensor, saliency: Tensor, target: int, steps: int = STEPS
) -> list[float]:
    """Return a class's probability as one image turns into another, the pixels that matter most first.

    Insertion turns the blurred image into the image, deletion the image into the mean colour.

    Args:
        network: N x 3 x H x W -> N x C, probabilities.
        start: 1 x 3 x H x W.
        end: 1 x 3 x H x W.
        saliency: H x W, higher matters more; only its order counts, and equal pixels go row by row.
        target: class index.
        steps: from one image to the other, at most one for each pixel.

    Returns:
        ``steps + 1`` probabilities, after 0, 1/steps ... 1 of the pixels.
    """
    pixels = saliency.numel()
    places = saliency.flatten().argsort(descending=True, stable=True).argsort()
    counts = torch.arange(steps + 1, device=places.device) * pixels // steps
    turned = (places < counts[:, None]).view(-1, 1, *saliency.shape)
    probabilities = torch.cat([network(torch.where(chunk, end, start)) for chunk in turned.split(CHUNK)])
    curve: list[float] = probabilities[:, target].tolist()
    return curve


def authors_steps(x: Tensor) -> int:
    """Return the steps that the authors' code takes, a row of pixels each: 224 for 1 x 3 x 224 x 224."""
    return x.shape[2]


def authors_blur(x: Tensor) -> Tensor:
    """Return the image from which insertion starts in the authors' code: 1 x 3 x H x W.

    Their window of 11 x 11 pixels holds a Gaussian of 5 pixels that is mirrored at the window's borders again and
    again, up to four sigmas; so it is almost flat. Outside of the image is 0, the normalisation's mean colour.
    """
    reach = round(4 * BLUR_SIGMA)
    offsets = torch.arange(-reach, reach + 1)
    gaussian = (-(offsets / BLUR_SIGMA).square() / 2).exp()
    window = torch.zeros(BLUR_WINDOW).index_add_(0, (offsets + BLUR_WINDOW // 2) % BLUR_WINDOW, gaussian)
    window = (window / window.sum()).to(x)
    kernel = (window[:, None] * window).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, kernel, padding=BLUR_WINDOW // 2, groups=x.shape[1])


def area_under(places: Sequence[float], values: Sequence[float]) -> float:
    """Return the area under a curve by the trapezium rule.

    Args:
        places: where the curve is known, increasing.
        values: as many.
    """
    x, y = torch.tensor([places, values], dtype=torch.float64)
    return float(torch.trapezoid(y, x))
