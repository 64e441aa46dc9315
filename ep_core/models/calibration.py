"""Statistics of batch norms, made anew from images."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def calibrate(network: nn.Module, modules: Iterable[nn.Module], images: Tensor) -> None:
    """Give the batch norms among some modules the statistics of images.

    Args:
        network: N x C x H x W -> anything, in evaluation mode.
        modules: some of the network's; those that are no batch norms, or keep no statistics, are left alone.
        images: N x C x H x W, N >= 2.
    """
    norms = [module for module in modules if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches, of which there is one
        norm.training = True
    network(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.training = False
