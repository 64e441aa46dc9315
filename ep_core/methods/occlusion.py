"""Occlusion: the drop of the score when a grey square covers a place."""

from __future__ import annotations

from math import ceil, prod

from captum.attr import Occlusion
from torch import Tensor

from ep_core.methods.base.method import AttributionRequest, Method
from ep_core.methods.base.passes import batch_on, watched
from ep_core.models.tuning.tune import tune

WINDOWS_PER_SIDE = 7  # 32 of 224 pixels
STEPS_PER_WINDOW = 4  # 8 of 224 pixels


def _attribute(request: AttributionRequest) -> Tensor:
    """Return the mean drop of the score over the windows that cover a pixel: T x H x W, in units of the score.

    A window is filled with 0, the normalisation's mean colour: grey, as in the paper (section 3.2). Windows at the
    right and lower edge may reach out of the image. Each occluded image is scored once, for all targets.
    """
    channels, *sides = request.x.shape[1:]
    window = [max(1, round(side / WINDOWS_PER_SIDE)) for side in sides]
    stride = [max(1, round(side / (WINDOWS_PER_SIDE * STEPS_PER_WINDOW))) for side in sides]
    places = prod(ceil((side - size) / step) + 1 for side, size, step in zip(sides, window, stride, strict=True))
    forward = watched(request, 1 + places, tune(request.network, request.x))
    drops = Occlusion(lambda images: forward(images)[:, list(request.targets)]).attribute(
        request.x.detach(),
        sliding_window_shapes=(channels, *window),
        strides=(channels, *stride),
        baselines=0,
        perturbations_per_eval=batch_on(request.device),
    )
    return drops[:, 0]  # a window covers all channels: they are alike


METHOD = Method(
    title="Occlusion",
    about="How far the score falls when a grey square covers a place.",
    source="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014",
    attribute=_attribute,
    passes=626,
)
