"""Batch sizes: bounded, and few of them, since a GPU's library plans every convolution anew for each."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_LANES = {"cpu": 16, "cuda": 128}
"""Lanes stepped in one batch, unless told otherwise; more are stepped in turn, so that memory stays bounded."""


def max_lanes_on(device: torch.device) -> int:
    """Return how many lanes share a batch on a device, unless told otherwise."""
    return MAX_LANES.get(device.type, MAX_LANES["cpu"])


def filled_size(count: int) -> int:
    """Return the size to which a batch is filled up: 1, 2, 4, 8, 16, 32, 64, 96, 128, 192, ...

    It falls with `count`, so that half a batch takes less memory, and is less than twice as large.
    """
    size = 1 << (count - 1).bit_length()
    return size * 3 // 4 if size > 64 and count <= size * 3 // 4 else size


def fill_up(rows: Tensor, size: int) -> Tensor:
    """Return a batch (N x ...) with zeros after it, `size` rows in all."""
    return F.pad(rows, (*[0] * (2 * rows.ndim - 1), size - len(rows)))
