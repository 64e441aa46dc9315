"""Integrated gradients: the gradient averaged along the path from a black image, times the difference."""

from __future__ import annotations

from captum.attr import IntegratedGradients
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on, watched

STEPS = 50


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the absolute value of the colour channels' sum: T x H x W, at least 0.

    The sum over a pixel's channels is what the pixel adds to the score; its absolute value is how much it matters, for
    or against.
    """
    return integrated(request).sum(dim=1).abs()


def integrated(request: AttributionRequest) -> Tensor:
    """Return integrated gradients from a black image, with their sign (section 3): T x 3 x H x W, in the score's units.

    All values of a target add up to its score less the black image's (completeness).
    """
    count = len(request.targets)
    x = request.x.detach().expand(count, -1, -1, -1)
    attributions: Tensor = IntegratedGradients(watched(request, STEPS * count)).attribute(
        x,
        baselines=request.model.preprocessing.black.to(x).expand_as(x),
        target=list(request.targets),
        n_steps=STEPS,
        internal_batch_size=max(batch_on(x.device), count),
    )
    return attributions.detach()


METHOD = Method(
    title="Integrated gradients",
    about="Gradients added up on the way from a black image to this one.",
    source="Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, ICML 2017",
    attribute=_attribute,
    passes=3 * STEPS,
)
