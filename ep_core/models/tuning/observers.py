"""Forward hooks of a network, called also for the tuned copies that compute in its place."""

from __future__ import annotations

from torch import Tensor, nn


def observed_alike(copy: nn.Module, network: nn.Module) -> nn.Module:
    """Return the copy of a network, which calls the network's own forward hooks from now on.

    Hooks on its layers aren't copied: a copy need not have them. Hooks that are removed later stay on the copy.
    """
    if copy is not network:
        copy._forward_hooks.update(network._forward_hooks)
    return copy


def tell_observers(network: nn.Module, images: Tensor, scores: Tensor) -> None:
    """Call a network's forward hooks for a pass that was computed without it.

    Args:
        network: whose hooks; what they return is ignored.
        images: N x 3 x H x W.
        scores: N x C.
    """
    for hook in list(network._forward_hooks.values()):
        hook(network, (images,), scores)
