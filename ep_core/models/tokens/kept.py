"""A vision transformer on some of its tokens: the network's own computation, of fewer tokens than it makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from .attention import WeightedAttention
from .site import TokenSite


@torch.no_grad()
def tokens_of(network: nn.Module, site: TokenSite, images: Tensor) -> Tensor:
    """Return the tokens of images with their positions: N x (P + T) x D.

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
        image: 1 x 3 x H x W, any of the images; it is what the network is called with.
        tokens: N x (P + T) x D, of all patches (`tokens_of`).
        places: N x k indices of the patches that are kept, each below T.
        weights: N x k in (0, 1], how much of each is there: 1 is the patch itself, and towards 0 the scores become
            those without it. None: all are there.

    Returns:
        N x C, differentiable with respect to the weights.
    """
    places = places + site.class_tokens
    kept = tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[2]))
    kept = torch.cat([tokens[:, : site.class_tokens], kept], dim=1)
    weighted = nullcontext() if weights is None else WeightedAttention(weights, site.class_tokens)
    with _given(site, kept, weights), weighted:
        scores: Tensor = network(image.expand(len(tokens), -1, -1, -1))
    return scores


@contextmanager
def _given(site: TokenSite, tokens: Tensor, weights: Tensor | None) -> Iterator[None]:
    """Put tokens in the place of those that the network makes, which it makes of a single image."""

    def first(_module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if inputs:
            return (inputs[0][:1], *inputs[1:]), named
        return inputs, named | {name: one[:1] for name, one in named.items() if isinstance(one, Tensor)}

    with ExitStack() as stack:
        stack.callback(site.trunk.register_forward_pre_hook(first, with_kwargs=True).remove)
        stack.callback(site.positioned.register_forward_hook(lambda _module, _inputs, _output: tokens).remove)
        if weights is not None and site.averaged is not None:
            shares = _shares(weights, site.class_tokens - site.averaged.first)
            hook = site.averaged.module.register_forward_hook(lambda _module, _inputs, output: output * shares(output))
            stack.callback(hook.remove)
        yield


def _shares(weights: Tensor, others: int) -> Any:
    """Return what makes a plain mean over tokens one by their weights: a factor of each token.

    Args:
        weights: N x k.
        others: class tokens in the mean, of weight 1.
    """
    whole = torch.cat([weights.new_ones(len(weights), others), weights], dim=1)
    factors = whole * whole.shape[1] / whole.sum(dim=1, keepdim=True)
    return lambda output: torch.nn.functional.pad(
        factors, (output.shape[1] - factors.shape[1], 0), value=1.0
    )[..., None].to(output.dtype)
