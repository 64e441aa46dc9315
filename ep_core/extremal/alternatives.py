"""Alternatives: masks that reach the threshold in the image without the known masks.

An image can have more than one region that suffices by itself (structured attention graphs, Shitole et al. 2021; ReX,
Chockler et al. 2021). Walks look for an alternative in the image without the known masks.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ep_core.masks.patches import to_patches

from .preparation import Prepared, S
from .stability import overlaps

MOST_OVERLAP = 0.2
"""Intersection over union, that distinct masks stay below."""
LARGEST_ALTERNATIVE = 0.5
"""Larger masks can't be distinct from another of their area."""


def without(sweep: Prepared[S], known: Tensor) -> Prepared[S]:
    """Return an image without known masks (N x 1 x H x W in [0, 1]).

    Every level of its pyramid is as strongly perturbed as the last, where a known mask is 1. Where patches are dropped,
    those of known masks can't be kept.
    """
    taken = known.amax(dim=0, keepdim=True)
    if sweep.patches is not None:
        return replace(sweep, left=1 - to_patches(taken, sweep.patches).view(1, 1, *sweep.patches))
    pyramid = sweep.pyramid
    return replace(sweep, pyramid=torch.lerp(pyramid, pyramid[-1:].expand_as(pyramid), taken))


def largest_overlap(mask: Tensor, known: Tensor) -> float:
    """Return the largest intersection over union of a mask (1 x 1 x H x W) with N known ones."""
    return max(overlaps(mask.expand(len(known), -1, -1, -1), known))
