"""Excitation backprop: marginal winning probabilities of a layer's units, as a map of the image."""

from __future__ import annotations

from functools import partial

import torch.nn.functional as F
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest
from ep_core.methods.base.reading import card_read, layer_read
from ep_core.models.token_maps import token_map
from ep_core.schemas.model_card import LayerUse

from .network import Rules, hand_down
from .propagation import Excitation, PropagationRule

_READER: tuple[LayerUse, str] = ("excitation_backprop", "excitation backprop")
read_layer = partial(layer_read, *_READER)
"""Returns the name of the layer that is read, of a model and a spec."""


def excitation_map(
    request: AttributionRequest, method: str, last: PropagationRule, *, positive: bool = False
) -> Tensor:
    """Return the sum over channels of what comes to each place of a layer, upsampled bilinearly: T x H x W.

    Args:
        request: the image and the classes.
        method: what it is called, for messages.
        last: the rule of the layer that gives the scores; everything else follows `Excitation`.
        positive: whether a place to which less than nothing comes counts as 0.

    Raises:
        UnknownName: the spec's layer isn't one of the model's; the error carries the nearest names.
        MethodUnavailable: the network can't be rewritten, has an operation without a rule, or no map of channels.
    """
    excitation = Excitation()
    rules = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=last)
    layer = card_read(*_READER, request.model, request.spec)
    relevance = hand_down(request, rules, method, start=1.0, layer=layer.name)
    form = token_map(layer.tokens, relevance, (request.x.shape[2], request.x.shape[3]))
    places = form.to_map(relevance).sum(dim=1, keepdim=True)
    if positive:
        places = places.clamp(min=0)
    maps = F.interpolate(places, size=request.x.shape[2:], mode="bilinear")
    return maps[:, 0]
