"""Passes through the network in batches, with progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from ep_core.models.runtime.turns import give_way

from .method import AttributionRequest

BATCHES = {"cpu": 8, "cuda": 32}
"""Images in a pass, at most, where a method has many: what a core does within a second in a small network, and what
keeps a GPU busy without taking all of its memory, gradients in float32 included.
"""


_divisor: ContextVar[int] = ContextVar("divisor", default=1)


def batch_on(device: torch.device, batches: Mapping[str, int] = BATCHES) -> int:
    """Return how many images go through the network together on a device, at least one.

    Args:
        device: where.
        batches: by type of device, where memory suffices.
    """
    return max(1, batches.get(device.type, batches["cpu"]) // _divisor.get())


@contextmanager
def smaller_batches(divisor: int) -> Iterator[None]:
    """Divide all batches, where memory has run out."""
    token = _divisor.set(divisor)
    try:
        yield
    finally:
        _divisor.reset(token)


def pause(request: AttributionRequest, share: float) -> None:
    """Report the share of a method's work that is done, and let others use the network before the next pass."""
    request.on_share(share)
    give_way()


def watched(
    request: AttributionRequest, images: int, network: nn.Module | None = None, *, gives_way: bool = True
) -> Callable[[Tensor], Tensor]:
    """Return the network's forward pass, which reports before each batch the share of `images` that is done.

    Args:
        request: whose network and `on_share`.
        images: how many images there will be in all passes together.
        network: what scores them; None takes the request's own network.
        gives_way: whether others may use the network between the passes (`turns.give_way`).

    Returns:
        N x 3 x H x W -> N x C.
    """
    seen = 0
    scoring = network or request.network

    def forward(batch: Tensor) -> Tensor:
        nonlocal seen
        request.on_share(min(1.0, seen / images))
        if gives_way:
            give_way()
        seen += len(batch)
        scores: Tensor = scoring(batch)
        return scores

    return forward
