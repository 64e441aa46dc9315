"""Files of a result: masks, overlays, saliency and the score curve."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ep_core.pictures.embedded import smaller
from ep_core.pictures.heat import heat_map
from ep_core.pictures.overlays import for_screens, grey, overlay, png
from ep_core.pictures.plot import curve_plot
from ep_core.pictures.reveal import SIDE, reveal
from ep_core.schemas.reports.file_names import CURVE, PAGE, REVEAL, SALIENCY, mask_name, overlay_name

if TYPE_CHECKING:
    from .explanation import Explanation


def render_files(explanation: Explanation) -> Iterator[tuple[str, bytes]]:
    """Yield all pictures of a result as (file name, bytes), named as in `ep_core.schemas.reports.file_names`."""
    yield from extremal_pictures(explanation)
    yield PAGE, explanation.to_html().encode()
    yield REVEAL, _film(explanation)
    saliency = explanation.frame.mask_to_image(explanation.saliency[0].numpy())
    yield SALIENCY, png(for_screens(heat_map(np.asarray(explanation.image), saliency)))
    yield (
        CURVE,
        curve_plot(
            explanation.curve,
            explanation.scores,
            explanation.optimal_area,
            title=f"{explanation.target.label} · {explanation.model.name} · {explanation.spec.variant}",
            xlabel=f"area of the mask (% of {explanation.coverage.whole})",
            head=explanation.model.outputs,
            unit=100,
        ),
    )


def extremal_pictures(explanation: Explanation) -> Iterator[tuple[str, bytes]]:
    """Yield all masks and their overlays as (file name, bytes): the areas', the alternatives and the contrast."""
    picture = np.asarray(explanation.image)
    of_areas = zip(explanation.spec.areas, explanation.masks, strict=True)
    keyed: chain[tuple[float | str, Tensor]] = chain(of_areas, explanation.named_masks.items())
    for key, (mask,) in keyed:
        in_frame = mask.numpy()
        on_image = explanation.frame.mask_to_image(in_frame)
        yield mask_name(key, frame="model"), png(grey(in_frame))
        yield mask_name(key), png(grey(on_image))
        yield overlay_name(key), png(for_screens(overlay(picture, on_image)))


def _film(explanation: Explanation) -> bytes:
    """Return the photograph coming into view, from the smallest area to the largest."""
    small = smaller(explanation.image, SIDE)
    frame = explanation.frame.on((small.height, small.width))
    return reveal(small, [frame.mask_to_image(mask.numpy()) for (mask,) in explanation.masks])
