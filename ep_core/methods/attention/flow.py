"""Flow of attention from a network's tokens to its scores, as a map of the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.methods.base.method import AttributionRequest, MethodUnavailable
from ep_core.models.token_maps import TokenMap, token_map
from ep_core.models.tuning.traced import opaque

from .seen import AttentionSeen

Step = Callable[[Tensor, Tensor], Tensor]
"""Returns how much each token takes from each in a layer, N x Q x T, from its attention's weights and their gradients
in the scores, N x heads x Q x T."""


def attention_flow(request: AttributionRequest, targets: Sequence[int], step: Step, *, is_mean: bool) -> Tensor:
    """Return how much of each place comes to the tokens that the head reads, upsampled bilinearly: N x H x W.

    With A the step of a layer, the tokens' shares of the patches' are ``R <- R + A R``, layer by layer from R = I; with
    `is_mean` half of that, so that the shares of a token sum to 1 if A's do. A pooling by attention, the last one, has
    no such sum: ``R <- A R``. The head reads the tokens in whose last attention the score has a gradient: the class
    token, or all that are pooled.

    Args:
        request: the image.
        targets: N classes.
        step: what a layer's attention gives.
        is_mean: whether each token counts as much as what it takes, instead of once.

    Raises:
        MethodUnavailable: the network computes no attention, or none between all places of the image.
    """
    weights, gradients = _attention(request, targets)
    form = _places(request, weights)
    shares = torch.eye(weights[0].shape[-1], device=request.device).expand(len(targets), -1, -1)
    for weight, gradient in zip(weights, gradients, strict=True):
        taken = step(weight, gradient) @ shares
        is_pooling = taken.shape[1] != shares.shape[1]
        shares = taken if is_pooling else (shares + taken) / (2 if is_mean else 1)
    read = gradients[-1].abs().amax(dim=(1, 3)).gt(0).to(shares)
    flow = (read[:, None] @ shares).squeeze(1) / read.sum(dim=1, keepdim=True).clamp_min(1)
    size = (request.x.shape[2], request.x.shape[3])
    return F.interpolate(form.to_map(flow[:, :, None]), size, mode="bilinear", align_corners=False)[:, 0]


def _attention(request: AttributionRequest, targets: Sequence[int]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the weights of each attention, N x heads x Q x T in float32, and their gradients in the N scores."""
    if hidden := opaque(request.network):
        raise MethodUnavailable(f"it reads attention in a network's layers, and {hidden} doesn't show them")
    seen = AttentionSeen()
    with torch.enable_grad():
        images = request.x.detach().repeat(len(targets), 1, 1, 1).requires_grad_()
        with seen:
            scores = request.network(images)
        if not seen.weights:
            raise MethodUnavailable(f"it reads attention, and model {request.model.name!r} computes none")
        chosen = scores.gather(1, torch.tensor(targets, device=request.device)[:, None]).sum()
        gradients = torch.autograd.grad(chosen, seen.weights, allow_unused=True, materialize_grads=True)
    return [one.detach().float() for one in seen.weights], [one.float() for one in gradients]


def _places(request: AttributionRequest, weights: Sequence[Tensor]) -> TokenMap:
    """Return where the tokens of all attentions lie.

    Raises:
        MethodUnavailable: they aren't the same in all, as with windows and merged patches, or they are no map.
    """
    reason = f"it follows attention between all places of the image, which model {request.model.name!r} hasn't"
    images, tokens = len(weights[0]), weights[0].shape[-1]
    expected = [(images, tokens, tokens)] * (len(weights) - 1)
    found = [(len(one), *one.shape[2:]) for one in weights]
    layouts = [one.tokens for one in request.model.layers if one.tokens is not None and one.tokens.order == "tokens"]
    if found[:-1] != expected or (found[-1][0], found[-1][2]) != (images, tokens) or not layouts:
        raise MethodUnavailable(reason)
    try:
        return token_map(layouts[-1], weights[0].new_empty(1, tokens, 1), (request.x.shape[2], request.x.shape[3]))
    except InvalidInput as error:
        raise MethodUnavailable(f"{reason}: {error.detail}") from error
