"""Alternatives: masks that reach the threshold in the image without the known masks.

An image can have more than one region that suffices by itself (structured attention graphs, Shitole et al. 2021; ReX,
Chockler et al. 2021). Walks look for an alternative in the image without the known masks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .stability import overlaps

MOST_OVERLAP = 0.2
"""Intersection over union, that distinct masks stay below."""
LARGEST_ALTERNATIVE = 0.5
"""Larger masks can't be distinct from another of their area."""


def without(pyramid: Tensor, known: Tensor) -> Tensor:
    """Return an image's pyramid where known masks are taken away.

    Args:
        pyramid: levels x 3 x H x W.
        known: N x 1 x H x W in [0, 1].

    Returns:
        levels x 3 x H x W: every level as strongly perturbed as the last, where a known mask is 1.
    """
    taken = known.amax(dim=0, keepdim=True)
    return torch.lerp(pyramid, pyramid[-1:].expand_as(pyramid), taken)


def largest_overlap(mask: Tensor, known: Tensor) -> float:
    """Return the largest intersection over union of a mask (1 x 1 x H x W) with N known ones."""
    return max(overlaps(mask.expand(len(known), -1, -1, -1), known))
