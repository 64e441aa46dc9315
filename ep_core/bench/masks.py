"""Benchmark of the smooth masks by themselves: sums of shifted lattices against streamed neighbours."""

from __future__ import annotations

import torch

from ep_core.masks.smooth import MaskLattice
from ep_core.masks.smooth_maximum import smooth_maximum
from ep_core.optimiser.presets.fast import SAMPLES

from .timing import median_seconds

SHIFTED, STREAMED = "shifted", "streamed"


def mask_seconds(*, masks: int, rounds: int, device: torch.device, side: int = 224) -> dict[str, float]:
    """Return the median seconds of the smooth maximum of a batch, forward and backward, by how it is summed.

    Args:
        masks: in the batch.
        rounds: timed, of which the median counts.
        device: where they are computed.
        side: pixels of the square frame.
    """
    lattice = MaskLattice((side, side), samples=SAMPLES, device=device)
    start = torch.rand(masks, 1, *lattice.shape, generator=torch.Generator().manual_seed(0)).to(device)

    def run(streamed: bool) -> None:
        parameters = start.clone().requires_grad_()
        values = smooth_maximum(parameters, lattice.neighbours, streamed=streamed)
        torch.autograd.grad(values.sum(), parameters)

    sides = {SHIFTED: lambda: run(False), STREAMED: lambda: run(True)}
    return median_seconds(sides, rounds=rounds, device=device)
