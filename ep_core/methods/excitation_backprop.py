"""Excitation backprop: the probability of each place to win, with winners drawn top-down from the class."""

from __future__ import annotations

from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.relevance.excitation import excitation_map, read_layer
from ep_core.methods.relevance.propagation import Excitation


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the marginal winning probabilities (MWP), T x H x W, at least 0; a cell's probability at its centre.

    Raises:
        MethodUnavailable: the network has an operation that isn't linear, pooling, a ReLU or a sum.
    """
    return excitation_map(request, "excitation backprop", Excitation())


METHOD = Method(
    title="Excitation backprop",
    about="The units that win, followed from the class down to a layer.",
    source="Zhang et al., Top-down Neural Attention by Excitation Backprop, ECCV 2016",
    attribute=_attribute,
    layer=read_layer,
    passes=8,
)
