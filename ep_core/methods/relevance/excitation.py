"""Excitation backprop: marginal winning probabilities of a layer's units, as a map of the image."""

from __future__ import annotations

from functools import partial

import torch.nn.functional as F
from torch import Tensor

from ep_core.methods.base.method import Question
from ep_core.methods.base.reading import layer_read

from .network import Rules, hand_down
from .propagation import Excitation, PropagationRule

read_layer = partial(layer_read, "excitation_backprop", "excitation backprop")
"""Returns the name of the layer that is read, of a model and a spec."""


def excitation_map(question: Question, method: str, last: PropagationRule, *, positive: bool = False) -> Tensor:
    """Return the sum over channels of what comes to each place of a layer, upsampled bilinearly: T x H x W.

    Args:
        question: the image and the classes.
        method: what it is called, for messages.
        last: the rule of the layer that gives the scores; everything else follows `Excitation`.
        positive: whether a place to which less than nothing comes counts as 0.

    Raises:
        UnknownName: the spec's layer isn't one of the model's; the error carries the nearest names.
        MethodUnavailable: the network can't be rewritten, has an operation without a rule, or no map of channels.
    """
    excitation = Excitation()
    rules = Rules(hidden=excitation, dense=excitation, pixels=excitation, last=last)
    relevance = hand_down(question, rules, method, start=1.0, layer=read_layer(question.model, question.spec))
    places = relevance.sum(dim=1, keepdim=True)
    if positive:
        places = places.clamp(min=0)
    maps = F.interpolate(places, size=question.x.shape[2:], mode="bilinear")
    return maps[:, 0]
