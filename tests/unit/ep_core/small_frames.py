"""A classifier of frames of any size, whose best masks are known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ep_core.masks.perturbation import gaussian_blur
from ep_core.models import Classifier, Preprocessing

CENTRE, RADIUS = 0.375, 0.25
"""Of the bright ellipse that class 0 counts, as shares of either side: 20% of the frame."""
GRID = (28, 28)


def image(size: tuple[int, int]) -> Tensor:
    """White: 1 x 3 x H x W; its fade is as dark as its mask is low."""
    return torch.ones(1, 3, *size)


def ellipse(size: tuple[int, int]) -> Tensor:
    """H x W: 1 on the ellipse, 0 beside it."""
    down, across = ((torch.arange(side) + 0.5) / side - CENTRE for side in size)
    return (down[:, None].square() + across.square() < RADIUS**2).float()


class Blob(nn.Module):
    """Class 0 scores 10 times the brightness on the ellipse, fading at its edge; class 1 scores nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.AdaptiveAvgPool2d(GRID)
        self.head = nn.Linear(GRID[0] * GRID[1], 2, bias=False)
        soft = gaussian_blur(ellipse(GRID)[None, None], 2.0).flatten()
        with torch.no_grad():
            self.head.weight.copy_(torch.stack([10 * soft / soft.sum(), torch.zeros_like(soft)]))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(x).mean(dim=1).flatten(1))


def blob_model(size: tuple[int, int]) -> Classifier:
    """A classifier of a frame of that height and width."""
    preprocessing = Preprocessing(input_size=size, mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(Blob(), name="blob", preprocessing=preprocessing, labels=["blob", "nothing"])
