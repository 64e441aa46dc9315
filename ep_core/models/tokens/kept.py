"""A vision transformer on some of its patches: the network's own computation, of fewer tokens than it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import WeightedAttention
from .site import TokenSite


@torch.no_grad()
def tokens_of(network: nn.Module, site: TokenSite, images: Tensor) -> Tensor:
    """Return the tokens of images, with their positions: N x (P + T) x D.

    Args:
        network: N x 3 x H x W -> N x C.
        site: of the network's tokens.
        images: N x 3 x H x W.
    """
    found: list[Tensor] = []
    handle = site.positioned.register_forward_hook(lambda _module, _inputs, output: found.append(output))
    try:
        network(images)
    finally:
        handle.remove()
    return found[0]


def kept_scores(
    network: nn.Module, site: TokenSite, image: Tensor, tokens: Tensor, places: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Return a network's scores of images of which only some patches are there.

    Args:
        network: N x 3 x H x W -> N x C.
        site: of the network's tokens.
        image: 1 x 3 x H x W, any of the images: the network is called with it, and computes no more than its tokens.
        tokens: N x (P + T) x D, of all patches (`tokens_of`).
        places: N x k indices of the patches that are kept, each below T. Where k is 0 and there are no class tokens,
            a token of zeros is computed with.
        weights: N x k in (0, 1], how much of each is there: 1 is the patch itself, and towards 0 the scores become
            those without it. None: all are there.

    Returns:
        N x C, differentiable with respect to the weights.
    """
    patches = tokens.gather(1, (places + site.class_tokens)[..., None].expand(-1, -1, tokens.shape[2]))
    kept = torch.cat([tokens[:, : site.class_tokens], patches], dim=1)
    if kept.shape[1] == 0:  # no class token either: something must be there to compute with
        kept = torch.zeros_like(tokens[:, :1])
    with (
        _given(site, kept, weights),
        nullcontext() if weights is None else WeightedAttention(weights, site.class_tokens),
    ):
        scores: Tensor = network(image.expand(len(tokens), -1, -1, -1))
    return scores


@contextmanager
def _given(site: TokenSite, tokens: Tensor, weights: Tensor | None) -> Iterator[None]:
    """Put tokens in the place of those that the network makes, of which it makes a single image's."""
    with ExitStack() as stack:
        stack.callback(site.trunk.register_forward_pre_hook(_first_image, with_kwargs=True).remove)
        stack.callback(site.positioned.register_forward_hook(lambda _module, _inputs, _output: tokens).remove)
        if site.averaged is not None:
            average = _averaging(site.averaged.first, tokens.shape[1] - site.class_tokens, weights)
            stack.callback(site.averaged.module.register_forward_hook(average).remove)
        yield


def _first_image(
    _module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a transformer with the first of its images alone."""
    if inputs:
        return (inputs[0][:1], *inputs[1:]), named
    return inputs, {name: one[:1] if isinstance(one, Tensor) else one for name, one in named.items()}


def _averaging(first: int, patches: int, weights: Tensor | None) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """Return a hook that makes the plain mean over a module's output one by weights; a mean of no tokens is zero.

    Args:
        first: index of the first token in the mean.
        patches: k, of the tokens the last ones.
        weights: N x k; None: 1.
    """

    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        count = output.shape[1] - first
        if count == 0:
            return F.pad(output, (0, 0, 0, 1))
        if weights is None:
            return output
        whole = F.pad(weights, (count - patches, 0), value=1.0)
        factors = whole * count / whole.sum(dim=1, keepdim=True)
        return output * F.pad(factors, (first, 0), value=1.0)[..., None].to(output.dtype)

    return hook
