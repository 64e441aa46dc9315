"""Result as a notebook shows it: one piece of HTML that needs no script, no style sheet and no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ep_core.pictures.embedded import data_url, thumbnail, thumbnail_url
from ep_core.pictures.overlays import overlay
from ep_core.pictures.small_curve import small_curve
from ep_core.pictures.templates import templates

if TYPE_CHECKING:
    from .explanation import Explanation

SHOWN = 8
"""Masks of a sweep that are shown: of more, as many at even distances, and that of a*."""
SIDE = 180
"""Pixels of a picture's longer side, as it is shown; it has twice as many."""


def notebook_html(explanation: Explanation) -> str:
    """Return the photograph under its masks, the class, a* and the curve, as HTML.

    The masks stand beside each other in a table, and all pictures are in it as ``data:`` URLs: it looks about the same
    where a notebook's viewer takes scripts and styles out.
    """
    small = thumbnail(explanation.image, 2 * SIDE)
    frame = explanation.frame.on((small.height, small.width))
    shown = [(explanation.curve[k], explanation.masks[k, 0].numpy()) for k in _shown(explanation)]
    pictures = [overlay(np.asarray(small), frame.mask_to_image(mask)) for _, mask in shown]
    curve = small_curve(explanation.curve, explanation.scores, explanation.optimal_area)
    return (
        templates("ep_core.extremal")
        .get_template("notebook.html.j2")
        .render(
            one=explanation,
            points=[point for point, _ in shown],
            whole=explanation.coverage.whole,
            pictures=[thumbnail_url(picture, 2 * SIDE) for picture in (small, *pictures)],
            width=round(SIDE * small.width / max(small.size)),
            curve=data_url(curve.encode(), "image/svg+xml"),
        )
    )


def _shown(explanation: Explanation) -> list[int]:
    """Return the places of the masks that are shown, in the order of their areas."""
    areas = explanation.spec.areas
    if len(areas) <= SHOWN:
        return list(range(len(areas)))
    places = {round(k * (len(areas) - 1) / (SHOWN - 1)) for k in range(SHOWN)}
    optimal = explanation.optimal_area
    return sorted(places if optimal is None else places | {areas.index(optimal)})
