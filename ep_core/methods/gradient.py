"""Gradient of the score with respect to each pixel."""

from __future__ import annotations

from captum.attr import Saliency
from torch import Tensor

from ep_core.methods.base.gradients import image_per_target, strongest_channel
from ep_core.methods.base.method import AttributionRequest, Method


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the largest absolute gradient over the colour channels (section 3.1): T x H x W, at least 0."""
    saliency = Saliency(request.network)
    return strongest_channel(saliency.attribute(image_per_target(request), target=list(request.targets)))


METHOD = Method(
    title="Gradient",
    about="How much the score changes with each pixel.",
    source="Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks, ICLR workshop 2014",
    attribute=_attribute,
)
