"""DeConvNet: the gradient, with ReLUs that pass back positive gradients only, whatever their inputs were."""

from __future__ import annotations

from captum.attr import Deconvolution
from torch import Tensor

from ep_core.methods.base.gradients import relu_rule_gradient
from ep_core.methods.base.method import AttributionRequest, Method


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the largest absolute value over the colour channels (section 2.1): T x H x W, at least 0.

    Max pooling goes back to where its maximum was. A ReLU6's ceiling still stops what it clipped.

    Raises:
        MethodUnavailable: the network isn't one of ReLUs, or can't be traced.
    """
    return relu_rule_gradient(request, Deconvolution)


METHOD = Method(
    title="DeConvNet",
    about="The gradient, of which only positive parts are passed back.",
    source="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    attribute=_attribute,
    passes=5,
)
