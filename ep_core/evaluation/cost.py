"""The cost of a method: its passes through the network, in forward passes of one image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

BACKWARD = 2
"""Count of a backward pass, on top of its forward pass."""

ReadCost = Callable[[], float]
"""Returns the cost so far, in forward-equivalents."""


@contextmanager
def counted(network: nn.Module, input_size: tuple[int, int]) -> Iterator[ReadCost]:
    """Count the passes through a network, those of its tuned and rewritten copies included.

    A forward pass of an image of the network's own size counts 1, the backward pass through it `BACKWARD` more, and
    images of other sizes count in proportion to their pixels. Passes that stop at a layer don't count. The network
    itself computes as it did: nothing but a forward hook is added, and removed at the end.

    Args:
        network: N x 3 x H x W -> N x C.
        input_size: its own H and W.

    Yields:
        what reads the cost so far.
    """
    tally = _Tally()
    handle = network.register_forward_hook(tally.observe)
    try:
        yield lambda: tally.pixels() / prod(input_size)
    finally:
        handle.remove()


class _Tally:
    """Pixels that went through a network. It counts on the device, so that replays of CUDA graphs count too."""

    def __init__(self) -> None:
        self._pixels: Tensor | None = None

    def pixels(self) -> int:
        """Return how many there were."""
        return 0 if self._pixels is None else int(self._pixels)

    def observe(self, _network: nn.Module, inputs: tuple[Any, ...], scores: Tensor) -> None:
        """Count a forward pass, and its backward passes when they come."""
        images = inputs[0]
        pixels = len(images) * prod(images.shape[2:])
        if self._pixels is None:
            self._pixels = torch.zeros((), dtype=torch.int64, device=images.device)
        total = self._pixels.add_(pixels)

        def count_backward(_gradient: Tensor) -> None:
            total.add_(BACKWARD * pixels)

        if scores.requires_grad:
            scores.register_hook(count_backward)
