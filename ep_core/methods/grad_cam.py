"""Grad-CAM: a layer's channels, each weighted by the mean gradient of the score with respect to it."""

from __future__ import annotations

from functools import partial

from torch import Tensor
from torch.nn import functional as F

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.reading import card_read, layer_read, map_and_gradient
from ep_core.schemas.model_card import LayerUse

_READER: tuple[LayerUse, str] = ("grad_cam", "Grad-CAM")


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the positive part of the weighted channels' sum (eq. 1 and 2), upsampled: T x H x W, at least 0.

    Raises:
        UnknownName: the spec's layer isn't one of the model's; the error carries the nearest names.
        MethodUnavailable: the spec names no layer, and the model has no map of channels near its output.
    """
    activation, gradient = map_and_gradient(request, card_read(*_READER, request.model, request.spec))
    cam = (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1, keepdim=True).clamp_min(0)
    size = request.x.shape[2:]
    return F.interpolate(cam, size=tuple(size), mode="bilinear", align_corners=False)[:, 0]


METHOD = Method(
    title="Grad-CAM",
    about="The places of a late layer that raise the score: coarse and fast.",
    source="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, "
    "ICCV 2017",
    attribute=_attribute,
    layer=partial(layer_read, *_READER),
)
