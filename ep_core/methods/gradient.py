"""Gradient of the score with respect to each pixel."""

from __future__ import annotations

from captum.attr import Saliency
from torch import Tensor

from ep_core.methods.base.gradients import image_per_target, strongest_channel
from ep_core.methods.base.method import Method, Question


def _attribute(question: Question) -> Tensor:
    """Return the largest absolute gradient over the colour channels (section 3.1): T x H x W, at least 0."""
    saliency = Saliency(question.network)
    return strongest_channel(saliency.attribute(image_per_target(question), target=list(question.targets)))


METHOD = Method(
    title="Gradient",
    source="Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks, ICLR workshop 2014",
    attribute=_attribute,
)
