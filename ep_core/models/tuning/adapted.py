"""Adapters around networks: float32 images in, which are not modified, and float32 scores out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Adapted(nn.Module):
    """A network that gets a copy of the images in its weights' precision, and whose scores come out in float32."""

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's scores: N x 3 x H x W -> N x C."""
        scores: Tensor = self.network(images.to(self.dtype, copy=True))
        return scores.float()


def adapt(network: nn.Module, images: Tensor) -> tuple[nn.Module, Any]:
    """Return a network as the engine can use it, itself where possible, and what it gives for images.

    `Adapted` are those that compute in another precision or change their input in place, and TorchScript, which takes
    no hooks. What the network raises passes through.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode.
        images: N x 3 x H x W, float32; they are left alone.
    """
    dtype = next((one.dtype for one in network.parameters() if one.is_floating_point()), torch.float32)
    given = images.to(dtype, copy=True)
    version = given._version
    scores = network(given)
    if not isinstance(scores, Tensor):
        return network, scores
    alien = (dtype, scores.dtype) != (torch.float32, torch.float32) or isinstance(network, torch.jit.ScriptModule)
    if alien or given._version > version:
        network = Adapted(network, dtype)
    return network, scores


def uncompiled(network: nn.Module) -> nn.Module:
    """Return the network that `torch.compile` was given, or one that isn't compiled as it is.

    Compiled code would be made anew for each size of batch, and can't be traced.
    """
    original = getattr(network, "_orig_mod", None)  # asking for its class would load the compiler
    return original if isinstance(original, nn.Module) else network
