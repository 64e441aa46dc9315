"""Grad-CAM: a layer's channels, each weighed by the mean gradient of the score in it."""

from __future__ import annotations

from captum.attr import LayerGradCam
from torch import Tensor
from torch.nn import functional as F

from ep_core.baselines.method import Method, MethodUnavailable, Question
from ep_core.channels.choice import no_layers, resolve_layer


def _attribute(question: Question) -> Tensor:
    """Return the positive part of the weighed channels' sum (eq. 1 and 2), upsampled: T x H x W, at least 0.

    Raises:
        UnknownName: the spec's layer isn't one of the model's; the error carries the nearest names.
        MethodUnavailable: the spec names no layer, and the model has none that shows where something is.
    """
    layer = question.network.get_submodule(_layer_name(question))
    cam = LayerGradCam(question.network, layer).attribute(
        question.x.detach().expand(len(question.targets), -1, -1, -1),
        target=list(question.targets),
        relu_attributions=True,
    )
    size = question.x.shape[2:]
    return F.interpolate(cam.detach(), size=tuple(size), mode="bilinear", align_corners=False)[:, 0]


def _layer_name(question: Question) -> str:
    """Return the spec's layer, or the last one of several cells: pooled ones that are left with one show no place."""
    model = question.model
    if question.spec.layer is not None:
        return resolve_layer(question.spec.layer, model.layers, model=model.name, input_size=model.input_size).name
    maps = [card.name for card in model.layers if card.height * card.width > 1]
    if not maps:
        raise MethodUnavailable(f"Grad-CAM needs layers: {no_layers(model.name)}")
    return maps[-1]


METHOD = Method(
    title="Grad-CAM",
    source="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, "
    "ICCV 2017",
    attribute=_attribute,
)
