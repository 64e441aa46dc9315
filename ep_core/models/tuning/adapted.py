"""Adapters around networks: float32 images in, which are not modified, and float32 scores out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ep_core.models.heads import OutputKey, find_scores, pick


class Adapted(nn.Module):
    """A network that gets a copy of the images in its weights' precision, and whose scores come out in float32.

    Args:
        network: N x 3 x H x W -> its outputs.
        dtype: of its weights.
        key: of the scores among the outputs; None where the scores are all that there is.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype, key: OutputKey | None = None) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype
        self._key = key

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's scores: N x 3 x H x W -> N x C."""
        outputs = self.network(images.to(self.dtype, copy=True))
        scores: Tensor = outputs if self._key is None else pick(outputs, self._key)
        return scores.float()


class Picked(nn.Module):
    """A network that gives one of its outputs, and is otherwise as the engine needs it.

    Args:
        network: N x 3 x H x W -> its outputs.
        key: of the scores among them.
    """

    def __init__(self, network: nn.Module, key: OutputKey) -> None:
        super().__init__()
        self.network = network
        self._key = key

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's scores: N x 3 x H x W -> N x C."""
        return pick(self.network(images), self._key)


def adapt(network: nn.Module, images: Tensor, output: OutputKey | None = None) -> tuple[nn.Module, Tensor]:
    """Return a network as the engine can use it, itself where possible, and its scores of images.

    `Adapted` are those that compute in another precision or change their input in place, and TorchScript, which takes
    no hooks; `Picked` are others that give more than their scores. What the network raises passes through.

    Args:
        network: N x 3 x H x W -> N x C, or outputs of which one is that; in evaluation mode.
        images: N x 3 x H x W, float32; they are left alone.
        output: key of the scores among several outputs; None finds it.

    Raises:
        InvalidInput: it can't be told which output the scores are.
    """
    dtype = next((one.dtype for one in network.parameters() if one.is_floating_point()), torch.float32)
    given = images.to(dtype, copy=True)
    version = given._version
    outputs = network(given)
    key = find_scores(outputs, len(images), output)
    scores: Tensor = outputs if key is None else pick(outputs, key)
    alien = (dtype, scores.dtype) != (torch.float32, torch.float32) or isinstance(network, torch.jit.ScriptModule)
    if alien or given._version > version:
        network = Adapted(network, dtype, key)
    elif key is not None:
        network = Picked(network, key)
    return network, scores


def uncompiled(network: nn.Module) -> nn.Module:
    """Return the network that `torch.compile` was given, or one that isn't compiled as it is.

    Compiled code would be made anew for each size of batch, and can't be traced.
    """
    original = getattr(network, "_orig_mod", None)  # asking for its class would load the compiler
    return original if isinstance(original, nn.Module) else network
