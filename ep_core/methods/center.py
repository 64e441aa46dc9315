"""Center: the pointing game's baseline, a map that is highest at the centre whatever the image."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method


def _attribute(request: AttributionRequest) -> Tensor:
    """Return how near each pixel is to the middle, 1 there and 0 in a corner, for every target alike: T x H x W."""
    height, width = request.x.shape[2:]
    rows = (torch.arange(height, device=request.device) + 0.5) / height - 0.5
    columns = (torch.arange(width, device=request.device) + 0.5) / width - 0.5
    nearness = 1 - (rows[:, None].square() + columns[None, :].square()).mul(2).sqrt()
    return nearness.expand(len(request.targets), -1, -1)


METHOD = Method(
    title="Center",
    about="The middle of the image, whatever it shows: a baseline.",
    source="Zhang et al., Top-down Neural Attention by Excitation Backprop, ECCV 2016 (the pointing game's baseline)",
    attribute=_attribute,
)
