"""A network whose saliency is known by hand, and images for it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

SIDE = 32
LEFT, RIGHT = (slice(10, 22), slice(2, 14)), (slice(10, 22), slice(18, 30))
"""Rows and columns of two spots of 12 x 12 pixels, 14% of the image each."""
QUICK = {"areas": (0.14,), "iterations": 15, "independent": True, "check_extremality": False}


class TwoSpots(nn.Module):
    """Scores the mean light of the left spot by class 0, and of the right one by class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(10.0))

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W -> N x 2."""
        spots = [images[:, :, rows, columns].mean((1, 2, 3)) for rows, columns in (LEFT, RIGHT)]
        return self.gain * torch.stack(spots, dim=1)


class Difference(TwoSpots):
    """Scores the light of the left spot less that of the right one by class 0, and the opposite by class 1."""

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W -> N x 2."""
        left, right = super().forward(images).unbind(dim=1)
        return torch.stack([left - right, right - left], dim=1)


@pytest.fixture
def spots() -> TwoSpots:
    return TwoSpots()


@pytest.fixture
def images() -> Tensor:
    """2 x 3 x H x W, bright everywhere, the second a little less."""
    return torch.ones(2, 3, SIDE, SIDE) * torch.tensor([1.0, 0.9])[:, None, None, None]


@pytest.fixture
def black_and_white() -> Tensor:
    """1 x 3 x H x W: the left spot is white, the right one black, all else grey.

    For class 0 of `Difference`, the left spot must be kept where an image fades to black, and the right one where it
    fades to white.
    """
    image = torch.full((1, 3, SIDE, SIDE), 0.5)
    image[:, :, *LEFT], image[:, :, *RIGHT] = 1, 0
    return image


def seen(saliency: Tensor) -> str:
    """Return the spot that an image's saliency (... x H x W) covers; fails where it doesn't cover one alone."""
    plane = saliency.reshape(-1, SIDE, SIDE)[0]
    left, right = (float(plane[rows, columns].mean()) for rows, columns in (LEFT, RIGHT))
    assert max(left, right) > 0.6, (left, right)
    assert min(left, right) < 0.2, (left, right)
    return "left" if left > right else "right"
