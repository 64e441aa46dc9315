"""A network that costs next to nothing, so that what is measured is the service; reached through a model list."""

from __future__ import annotations

import torch
from torch import nn


class Tiny(nn.Module):
    """Average colour to two scores, with the same weights in every process."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[1.0, -0.5, 0.25], [-1.0, 0.5, 0.5]]))
            self.head.bias.copy_(torch.tensor([0.1, -0.1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean((2, 3)))
