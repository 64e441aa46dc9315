"""Attention rollout: how much of each place attention carries to the tokens that a transformer's head reads."""

from __future__ import annotations

from torch import Tensor

from ep_core.methods.attention.flow import attention_flow
from ep_core.methods.base.method import AttributionRequest, Method


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the product of all layers' ``A / 2 + I / 2`` (section 3), the same for all targets: T x H x W, at least 0.

    A is the mean over the heads. The first target's gradient tells which tokens the head reads.

    Raises:
        MethodUnavailable: the network computes no attention between all places of the image.
    """
    flow = attention_flow(request, request.targets[:1], lambda weights, _: weights.mean(dim=1), is_mean=True)
    return flow.expand(len(request.targets), -1, -1)


METHOD = Method(
    title="Attention rollout",
    about="How much attention reaches each place. Transformers only.",
    source="Abnar and Zuidema, Quantifying Attention Flow in Transformers, ACL 2020",
    attribute=_attribute,
)
