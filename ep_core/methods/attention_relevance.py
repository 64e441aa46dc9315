"""Attention relevance: attention rollout with the heads weighted by the gradients of the class's score."""

from __future__ import annotations

from torch import Tensor

from ep_core.methods.attention.flow import attention_flow
from ep_core.methods.base.method import AttributionRequest, Method


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the relevance of each place (eq. 5 and 6, of self-attention alone): T x H x W, at least 0.

    A layer adds the mean over the heads of the positive part of ``A . dscore / dA``.

    Raises:
        MethodUnavailable: the network computes no attention between all places of the image.
    """
    return attention_flow(
        request,
        request.targets,
        lambda weights, gradients: (weights * gradients).clamp_min(0).mean(dim=1),
        is_mean=False,
    )


METHOD = Method(
    title="Attention relevance",
    about="Attention, weighted by how it raises the class. Transformers only.",
    source="Chefer, Gur and Wolf, Generic Attention-model Explainability for Interpreting Bi-Modal and "
    "Encoder-Decoder Transformers, ICCV 2021",
    attribute=_attribute,
)
