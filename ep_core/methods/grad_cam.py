"""Grad-CAM: a layer's channels, each weighted by the mean gradient of the score with respect to it."""

from __future__ import annotations

from functools import partial

from captum.attr import LayerGradCam
from torch import Tensor
from torch.nn import functional as F

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.reading import layer_read

_layer = partial(layer_read, "grad_cam", "Grad-CAM")


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the positive part of the weighted channels' sum (eq. 1 and 2), upsampled: T x H x W, at least 0.

    Raises:
        UnknownName: the spec's layer isn't one of the model's; the error carries the nearest names.
        MethodUnavailable: the spec names no layer, and the model has no map of channels near its output.
    """
    layer = request.network.get_submodule(_layer(request.model, request.spec))
    cam = LayerGradCam(request.network, layer).attribute(
        request.x.detach().expand(len(request.targets), -1, -1, -1),
        target=list(request.targets),
        relu_attributions=True,
    )
    size = request.x.shape[2:]
    return F.interpolate(cam.detach(), size=tuple(size), mode="bilinear", align_corners=False)[:, 0]


METHOD = Method(
    title="Grad-CAM",
    source="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, "
    "ICCV 2017",
    attribute=_attribute,
    layer=_layer,
)
