"""Names of a job's files and of its masks. Imports no torch."""

from __future__ import annotations

from typing import Literal

RESULT = "result.json"
SALIENCY = "saliency.png"
MOST_SHOWN = 2048
"""Pixels of the longer side of a picture in colour, such as an overlay; a mask has as many as the image."""
CURVE = "curve.svg"
PAGE = "result.html"
REVEAL = "reveal.webp"
CONTRAST_KEY = "contrast"


def area_key(area: float) -> str:
    """Return the name of an area in file names and URLs: the shortest decimal that reads back as the same number."""
    return repr(float(area))


def alternative_key(place: int) -> str:
    """Return the name of the mask of an alternative, counted from 0, in file names and URLs."""
    return f"alternative-{place + 1}"


def mask_name(which: float | str, *, frame: Literal["image", "model"] = "image") -> str:
    """Return the file name of a mask, in the original image's pixels or in the network's frame.

    Args:
        which: an area, or the key of a mask beside those of the areas (`alternative_key`, `CONTRAST_KEY`).
        frame: `model` for the network's.
    """
    return f"masks/{_mask_key(which)}{'.model' if frame == 'model' else ''}.png"


def overlay_name(which: float | str) -> str:
    """Return the file name of the overlay of a mask, named as for `mask_name`."""
    return f"overlays/{_mask_key(which)}.png"


def _mask_key(which: float | str) -> str:
    return which if isinstance(which, str) else area_key(which)
