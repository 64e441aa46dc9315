"""A classifier that tells whether it ran, a picture of its size, and quick sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn

from ep_core import InvalidInput

SIDE = 24
PIXELS = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE + 6, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)
QUICK: dict[str, Any] = {"areas": (0.3,), "iterations": 1, "alternatives": 0, "contrast": False}


class Counting(nn.Module):
    """A classifier of five classes that counts its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
        )
        self.passes = 0

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        return self.layers(images)


def one_line(error: pytest.ExceptionInfo[InvalidInput]) -> str:
    said = "\n".join([str(error.value), *getattr(error.value, "__notes__", [])])
    assert "\n" not in said
    return said
