"""Guided backprop: the gradient, with ReLUs that pass back positive gradients only, and only at positive inputs."""

from __future__ import annotations

from captum.attr import GuidedBackprop
from torch import Tensor

from ep_core.methods.base.gradients import relu_rule_gradient
from ep_core.methods.base.method import AttributionRequest, Method


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the largest absolute value over the colour channels (section 3.4): T x H x W, at least 0.

    Raises:
        MethodUnavailable: the network isn't one of ReLUs, or can't be traced.
    """
    return relu_rule_gradient(request, GuidedBackprop)


METHOD = Method(
    title="Guided backprop",
    about="The gradient, of which only positive parts are passed back, and only by active units: fine edges.",
    source="Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for Simplicity: The All Convolutional Net, "
    "ICLR workshop 2015",
    attribute=_attribute,
    passes=5,
)
