"""Contrastive excitation backprop: winning probabilities of the class minus those of its negation."""

from __future__ import annotations

from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.relevance.excitation import excitation_map, read_layer
from ep_core.methods.relevance.propagation import ContrastiveExcitation


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the positive part of the contrastive winning probabilities (cMWP, section 3.3), T x H x W.

    The contrast is taken one layer below the scores; from there on all is as for excitation backprop.

    Raises:
        MethodUnavailable: the network has an operation that isn't linear, pooling, a ReLU or a sum.
    """
    return excitation_map(request, "contrastive excitation backprop", ContrastiveExcitation(), positive=True)


METHOD = Method(
    title="Contrastive excitation backprop",
    about="The units that win for this class, less those that win for all others.",
    source="Zhang et al., Top-down Neural Attention by Excitation Backprop, ECCV 2016 (3.3)",
    attribute=_attribute,
    layer=read_layer,
    passes=8,
)
