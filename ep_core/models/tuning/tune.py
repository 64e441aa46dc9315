"""Tuning of a network for inference: training-only parts are folded away, and memory is laid out for convolutions."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ep_core.models.runtime.backend_flags import quietly
from ep_core.models.runtime.batching import fill_up, filled_size
from ep_core.models.scalar import Scored

from .convolutions import can_pack, pack_convolutions
from .observers import observed_alike
from .traced import folded, release

TOLERANCE = 1e-3
"""Most that the tuned network's scores may differ from the network's own, as a share of the largest score.

What folding rounds differently is about 1e-6; a network that folding breaks is far beyond.
"""

log = logging.getLogger(__name__)


def tune(network: nn.Module, example: Tensor) -> nn.Module:
    """Return a copy of a frozen network that scores the same, faster; or the network itself, where that can't be had.

    Batch norm is folded into the convolutions before it, images are laid out channels last, clipped activations keep
    no copy of their input. On a CPU convolutions are packed for oneDNN (`convolutions.py`). On a GPU the network
    (nothing else) computes in half precision where that is exact enough for bfloat16's range. The network given is
    left alone; its copy is for this call, so that a network whose weights change in between is never explained as it
    was. Forward hooks on the network observe the copy too.

    Args:
        network: N x 3 x H x W -> N x C, in evaluation mode, its parameters without gradients.
        example: N x 3 x H x W, on which both must agree.

    Returns:
        N x 3 x H x W -> N x C, float32.
    """
    tuned = _folded(network, example)
    if example.is_cuda and torch.cuda.is_bf16_supported():
        tuned = HalfPrecision(tuned)
    return observed_alike(tuned, network)


def _folded(network: nn.Module, example: Tensor) -> nn.Module:
    if isinstance(network, Scored):
        return network.around(_folded(network.network, example))
    try:
        with quietly():  # torch.fx warns of networks that it was only asked to try
            copy = folded(network)
        copy = copy.to(memory_format=torch.channels_last)
        if can_pack(example):
            pack_convolutions(copy)
        _keep_outputs(copy)
        release(copy)
        apart = _apart(network, copy, example)
    except Exception as error:  # networks with control flow can't be traced, exported ones not copied
        log.info("the network is used as it is: %s: %s", type(error).__name__, error)
        return network
    if not apart <= TOLERANCE:
        log.warning("the network is used as it is: folded, its scores would differ by %.2g", apart)
        return network
    return copy


def _apart(network: nn.Module, copy: nn.Module, example: Tensor) -> float:
    """Return the largest difference of scores, as a share of the largest score; raise an error of a copy's gradient."""
    with torch.no_grad():
        expected = network(example)
    x = example.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.enable_grad():
        scores = copy(x)
        torch.autograd.grad(scores.sum(), x)
    apart = (scores.detach() - expected).abs().max()
    return float(apart / expected.abs().max().clamp_min(1e-12))


class SharedCopies:
    """Tuned copies of networks, each the same for all who ask while someone has it."""

    def __init__(self) -> None:
        self._copies: WeakValueDictionary[Hashable, nn.Module] = WeakValueDictionary()

    def tune(self, network: nn.Module, example: Tensor) -> nn.Module:
        """Return what `tune` does: a copy that is there already, where it scores this example alike, too."""
        key = id(network), example.shape[1:], example.dtype
        copy = self._copies.get(key)
        if copy is None:
            copy = tune(network, example)
            if copy is not network:
                self._copies[key] = copy
        elif not _apart(network, copy.network if isinstance(copy, HalfPrecision) else copy, example) <= TOLERANCE:
            return tune(network, example)
        return copy


class HalfPrecision(nn.Module):
    """Runs a network in bfloat16 where autocast deems it safe; scores come out in float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's scores: N x ... -> N x C.

        Zeros fill the batch up to one of a few sizes (`filled_size`).
        """
        count = len(images)
        filled = fill_up(images, filled_size(count))
        # Without the cache of cast weights, which a CUDA graph would outlive.
        with torch.autocast(images.device.type, dtype=torch.bfloat16, cache_enabled=False):
            scores: Tensor = self.network(filled)
        return scores[:count].float()


class _Clip(torch.autograd.Function):
    """``min(max(x, low), high)`` in place; the result shows as well as the input where it was clipped."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        clipped = x.clamp_(low, high)
        ctx.mark_dirty(x)
        ctx.save_for_backward(clipped)
        ctx.bounds = (low, high)
        return clipped

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (clipped,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grad, clipped, *ctx.bounds), None, None


class _ClippedActivation(nn.Module):
    """A hard tanh (ReLU6 is one) that works in place without the copy that torch's own keeps for the backward pass."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.bounds = (low, high)

    def forward(self, x: Tensor) -> Tensor:
        return _Clip.apply(x, *self.bounds)


def _keep_outputs(network: nn.Module) -> None:
    """Replace the in-place hard tanhs, a good tenth of mobilenet's time."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Hardtanh) and child.inplace:
                setattr(module, name, _ClippedActivation(child.min_val, child.max_val))
