"""The files of a channel explanation: heat map, curve, masks and inversions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydantic_core import to_json

from ep_core.pictures.heat import heat_map
from ep_core.pictures.overlays import for_screens, png
from ep_core.pictures.plot import curve_plot
from ep_core.schemas.reports.channels import COMPARISON, MASKS, SHEET, inversion_name
from ep_core.schemas.reports.file_names import CURVE, SALIENCY

from .contact_sheets import class_sheet, heat_on_frame, inversion_sheet, rgb_image

if TYPE_CHECKING:
    from .class_channels import ClassExplanation
    from .explanation import ChannelExplanation


def render_channels(explanation: ChannelExplanation) -> Iterator[tuple[str, bytes]]:
    """Yield all files of a result as (file name, bytes), named as in `ep_core.schemas.reports`."""
    heat = explanation.frame.mask_to_image(heat_on_frame(explanation.saliency, explanation.frame.input_size))
    yield SALIENCY, png(for_screens(heat_map(np.asarray(explanation.image), heat)))
    label, layer = explanation.target.label, explanation.layer
    yield (
        CURVE,
        curve_plot(
            explanation.curve,
            explanation.scores,
            explanation.optimal_area,
            title=f"{label} · {explanation.model.name} · {layer.name} · {explanation.spec.variant}",
            xlabel=f"channels in the mask (of {layer.channels})",
            head=explanation.model.outputs,
            perturbed="without the layer's channels",
            optimum="optimal count",
        ),
    )
    counts = [point.area for point in explanation.curve]
    yield MASKS, to_json({"layer": layer.name, "areas": counts, "masks": explanation.masks.tolist()})
    for name, picture in explanation.inversions.items():
        yield inversion_name(name), png(rgb_image(picture))
    if explanation.inversions:
        yield inversion_name(COMPARISON), png(inversion_sheet(explanation))


def render_class(explanation: ClassExplanation) -> Iterator[tuple[str, bytes]]:
    """Yield all files of a class's channels as (file name, bytes)."""
    yield SHEET, png(class_sheet(explanation))
    for channel, picture in explanation.inversions.items():
        yield inversion_name(channel), png(rgb_image(picture))
