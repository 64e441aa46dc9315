"""Result as a notebook shows it: its page in a frame, and pictures of it where frames are taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ep_core.pictures.embedded import data_url, smaller, thumbnail_url
from ep_core.pictures.even_places import even_places
from ep_core.pictures.framed import framed
from ep_core.pictures.overlays import overlay
from ep_core.pictures.small_curve import small_curve
from ep_core.pictures.templates import templates

from .page import page_html

if TYPE_CHECKING:
    from .explanation import Explanation

SHOWN = 8
"""Masks of a sweep that are shown: of more, as many at even distances, and that of a*."""
SIDE = 180
"""Pixels of a still picture's longer side, as it is shown; it has twice as many."""
PAGE_SIDE = 640
"""Most pixels of the longer side of the page's photograph."""
_WIDTH, _CONTROLS = 500, 420  # pixels: of the photograph beside the scores, and of what is above and below it
_LEAST, _MOST = 680, 900  # pixels of the frame's height


def notebook_html(explanation: Explanation) -> str:
    """Return the page of the result, as HTML inside of another page: in a frame, above the still pictures."""
    width, height = explanation.image.size
    return framed(
        page_html(explanation, PAGE_SIDE),
        still_html(explanation),
        title=f"{explanation.target.label}: what {explanation.model.name} needs to see",
        height=min(_MOST, max(_LEAST, _CONTROLS + round(_WIDTH * height / width))),
    )


def still_html(explanation: Explanation) -> str:
    """Return the photograph under its masks, the class, a* and the curve, as HTML.

    The masks stand beside each other in a table, and all pictures are in it as ``data:`` URLs: it looks about the same
    where a notebook's viewer takes scripts and styles out.
    """
    small = smaller(explanation.image, 2 * SIDE)
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
    optimal = explanation.optimal_area
    best = set() if optimal is None else {areas.index(optimal)}
    return sorted({*even_places(len(areas), SHOWN)} | best)
