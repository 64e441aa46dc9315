"""Random weights by which a network's scores depend on the image, as trained ones do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ep_core.models.calibration import calibrate

SPREAD = 0.02  # of weights that an initialiser leaves at zero, as transformers' own has it
SCALE = 0.3
"""What a scale of a branch is raised to where it begins near zero (LayerScale): so large are trained ones."""
LEAST = 0.05


def seeded(make: Callable[[], nn.Module], *, seed: int = 0) -> nn.Module:
    """Return the network that a function makes, in evaluation mode, its weights drawn with a seed.

    torch's own random numbers stay as they are.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().eval()


@torch.no_grad()
def wake(network: nn.Module, images: Tensor, *, seed: int = 0) -> None:
    """Change the random weights of a network by which its scores would be nearly the same for all images.

    Initialisers make networks easy to train, not ready: heads, last norms of a block and scales of branches begin at
    zero or near it, and batch norms have seen nothing. Zeros get random values, scales `SCALE`, and batch norms the
    statistics of images.

    Args:
        network: in evaluation mode.
        images: N x C x H x W, N >= 2, as the network takes them.
        seed: draws the values in the place of zeros.
    """
    chance = torch.Generator().manual_seed(seed)
    for module in network.modules():
        for name, weights in module.named_parameters(recurse=False):
            if "bias" in name or weights.abs().max() > LEAST:
                continue
            if weights.squeeze().ndim > 1:
                if not weights.any():
                    weights.copy_(SPREAD * torch.randn(weights.shape, generator=chance))
            elif not name.endswith(("token", "embed", "position_embedding")):
                weights.fill_(1 if name == "weight" else SCALE)
    calibrate(network, network.modules(), images)
