"""Layer-wise relevance propagation: the class's score, propagated layer by layer to the pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.relevance.network import Rules, hand_down
from ep_core.methods.relevance.propagation import Box, Epsilon, Gamma

GAMMA = 0.25  # the default of Montavon et al.'s own code, and of captum's


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the relevance of each pixel, its colours summed: T x H x W, positive where it speaks for the class.

    A composite of rules (Montavon et al. 2019): epsilon in fully connected layers, gamma in convolutions, means and
    sums, and z^B with black and white as bounds for the pixels. What the biases add to a score stays with them.

    captum's LRP isn't used: its rules for positive weights ignore the inputs' signs. On mobilenet's linear bottlenecks
    its alpha1-beta0 rule made a relevance of 8e5 out of a score of 14, its gamma rule 1e29. Where both apply, a plain
    network and the epsilon rule, they agree.

    Raises:
        MethodUnavailable: the network has an operation that isn't linear, pooling, a ReLU or a sum.
    """
    preprocessing = request.model.preprocessing
    channels = torch.ones(preprocessing.channels, 1, 1, device=request.device)
    black, white = (preprocessing.normalise(light * channels) for light in (0, 1))
    rules = Rules(hidden=Gamma(GAMMA), dense=Epsilon(), pixels=Box(black, white), last=Epsilon())
    return hand_down(request, rules, "LRP", start=None).sum(dim=1)


METHOD = Method(
    title="LRP",
    about="The score, shared out layer by layer down to the pixels.",
    source="Bach et al., On Pixel-wise Explanations for Non-linear Classifier Decisions by LRP, PLOS ONE 2015; "
    "rules of Montavon et al., Layer-wise Relevance Propagation: An Overview, 2019",
    attribute=_attribute,
    passes=25,
)
