"""Excitation backprop: marginal winning probabilities of a layer's units, as a map of the image."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ep_core.channels.choice import resolve_layer
from ep_core.errors import InvalidInput

from .method import MethodUnavailable, Question
from .relevance import Excitation, Rule
from .relevance_network import Rules, hand_down


def excitation_map(question: Question, method: str, last: Rule, *, positive: bool = False) -> Tensor:
    """Return the sum over channels of what comes to each place of a layer, upsampled bilinearly: T x H x W.

    The paper reads VGG16 and ResNet-50 where a cell is 16 pixels wide; so the layer here is the last of the outermost
    ones at a sixteenth of the frame (`channels.choice.resolve_layer`).

    Args:
        question: what is asked.
        method: what it is called, for messages.
        last: the rule of the layer that gives the scores; everything else follows `Excitation`.
        positive: whether a place to which less than nothing comes counts as 0.

    Raises:
        MethodUnavailable: the network can't be rewritten, has an operation without a rule, or no map of channels.
    """
    excitation = Excitation()
    rules = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=last)
    relevance = hand_down(question, rules, method, start=1.0, layer=_layer(question, method))
    places = relevance.sum(dim=1, keepdim=True)
    if positive:
        places = places.clamp(min=0)
    maps = F.interpolate(places, size=question.x.shape[2:], mode="bilinear")
    return maps[:, 0]


def _layer(question: Question, method: str) -> str:
    model = question.model
    try:
        return resolve_layer(None, model.layers, model=model.name, input_size=model.input_size).name
    except InvalidInput as error:
        raise MethodUnavailable(f"{method} needs layers: {error.detail}") from error
