"""A classifier whose channels are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ep_core.models import Classifier, Preprocessing

SIDE = 32
CHANNELS = 8
WEIGHTS = ((4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0))


class Bands(nn.Module):
    """Channel k is how bright red is in the k-th row of cells; one class counts the upper ones, one the lower ones."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.AvgPool2d(SIDE // CHANNELS)
        self.bands = nn.Identity()
        self.head = nn.Linear(CHANNELS, 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor(WEIGHTS))

    def forward(self, x: Tensor) -> Tensor:
        cells = self.cells(x)[:, 0]  # N x 8 x 8
        rows = torch.eye(CHANNELS, device=x.device)[None, :, :, None] * cells[:, None]
        return self.head(self.bands(rows).sum(dim=(2, 3)))


@pytest.fixture
def bands() -> Classifier:
    preprocessing = Preprocessing(input_size=(SIDE, SIDE), mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(Bands(), name="bands", preprocessing=preprocessing, labels=["upper", "lower"])
