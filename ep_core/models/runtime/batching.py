"""Batches of few sizes: for each new one a GPU's library plans every convolution anew, for seconds in all."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def filled_size(count: int) -> int:
    """Return the size to which a batch is filled up: 1, 2, 4, 8, 16, 32, 64, 96, 128, 192, ...

    It falls with `count`, so that half a batch takes less memory, and is less than twice as large.
    """
    size = 1 << (count - 1).bit_length()
    return size * 3 // 4 if size > 64 and count <= size * 3 // 4 else size


def fill_up(rows: Tensor, size: int) -> Tensor:
    """Return a batch (N x ...) with zeros after it, `size` rows in all."""
    return F.pad(rows, (*[0] * (2 * rows.ndim - 1), size - len(rows)))
