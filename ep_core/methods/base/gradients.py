"""Maps that are gradients of scores: functions that those methods share."""

from __future__ import annotations

from captum.attr import Deconvolution, GuidedBackprop
from torch import Tensor

from ep_core.methods.relevance.rewrite import with_relu_modules
from ep_core.models.runtime.backend_flags import quietly

from .method import AttributionRequest


def image_per_target(request: AttributionRequest) -> Tensor:
    """Return the image once for each target, T x 3 x H x W, to differentiate with respect to."""
    return request.x.detach().repeat(len(request.targets), 1, 1, 1).requires_grad_()


def strongest_channel(gradients: Tensor) -> Tensor:
    """Return the largest absolute value over the colour channels: T x 3 x H x W -> T x H x W, at least 0."""
    return gradients.detach().abs().amax(dim=1)


def relu_rule_gradient(request: AttributionRequest, rule: type[Deconvolution] | type[GuidedBackprop]) -> Tensor:
    """Return the gradient under another backward rule of ReLUs, as T x H x W: `strongest_channel`.

    Raises:
        MethodUnavailable: the network isn't one of ReLUs, or can't be traced (`rewrite.with_relu_modules`).
    """
    network = with_relu_modules(request.network, request.x)
    with quietly():  # captum tells of the hooks that it sets and removes
        gradients = rule(network).attribute(image_per_target(request), target=list(request.targets))
    return strongest_channel(gradients)
