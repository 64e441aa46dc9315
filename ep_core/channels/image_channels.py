"""Per-class channels (5.2) over single images, and over all images together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ep_core.errors import InvalidInput
from ep_core.schemas.reports.channels import ClassChannel, Excited
from ep_core.schemas.reports.common import ThresholdRule
from ep_core.schemas.warnings import ResultWarning


@dataclass(frozen=True)
class ImageChannels:
    """A class's channels as one image shows them."""

    name: str
    original: float
    """Phi(x)."""
    probability: float | None
    optimal_area: int | None
    """a* in channels; None where no count reaches the threshold."""
    mask: Tensor
    """The optimal mask, K values in [0, 1]; of no meaning where there is none."""
    excitement: Tensor
    """Mean of each channel over space: K values."""
    threshold_rule: ThresholdRule | None
    """The rule that gives the threshold; never None in results of this version."""
    warnings: tuple[ResultWarning, ...] = ()
    """Warnings of the image's threshold."""


def averaged_mask(outcomes: Sequence[ImageChannels]) -> Tensor:
    """Return the mean of the optimal masks of those images that have one: K values (5.2).

    Raises:
        InvalidInput: none has one.
    """
    masks = [one.mask for one in outcomes if one.optimal_area is not None]
    if all(one.threshold_rule == "none" for one in outcomes):
        raise InvalidInput(
            "in none of the images the class scores higher than without the layer's channels: there is nothing to keep "
            "or to take away; choose another target or layer",
            field="target",
        )
    if not masks:
        raise InvalidInput(
            "in none of the images any count reaches the threshold: ask for larger counts or a lower threshold",
            field="areas",
        )
    return torch.stack(masks).mean(dim=0)


def top_channels(weights: Tensor, outcomes: Sequence[ImageChannels], top: int) -> list[ClassChannel]:
    """Return the channels with the largest weights, and the images that excite each most.

    Among equal weights, those come first that the images excite more, on average.
    """
    excitement = torch.stack([one.excitement for one in outcomes])
    average = excitement.mean(dim=0).tolist()
    order = sorted(range(len(weights)), key=lambda k: (-float(weights[k]), -average[k]))
    found = []
    for k in order[:top]:
        activations, places = excitement[:, k].sort(descending=True, stable=True)
        images = zip(places.tolist(), activations.tolist(), strict=True)
        excited = [Excited(image=image, activation=activation) for image, activation in images]
        found.append(ClassChannel(channel=k, weight=float(weights[k]), images=excited))
    return found


def image_warnings(outcomes: Sequence[ImageChannels], called: Sequence[str]) -> list[ResultWarning]:
    """Return the warnings of the images' thresholds, each with how its image is called."""
    return [
        warning.model_copy(update={"detail": f"{name}: {warning.detail}"})
        for one, name in zip(outcomes, called, strict=True)
        for warning in one.warnings
    ]
