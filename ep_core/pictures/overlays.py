"""Masks as grey images and as overlays: the removed part dark."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from ep_core.schemas.reports.file_names import MOST_SHOWN

DIMMED = 0.35  # brightness of what a mask takes away
BAND_PIXELS = 2**18  # coloured at a time: each takes some 100 bytes meanwhile


def grey(mask: np.ndarray) -> Image.Image:
    """Return a mask, H x W in [0, 1], as an 8-bit grey image."""
    return Image.fromarray(np.round(mask * 255).astype(np.uint8))


def overlay(picture: np.ndarray, mask: np.ndarray) -> Image.Image:
    """Return the picture (H x W x 3, 8 bit) with the part that the mask (H x W) removes dark and without colour."""
    return in_bands(_overlay, picture, mask)


def _overlay(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    dark = picture.mean(axis=2, keepdims=True) * DIMMED
    kept = mask[:, :, None]
    return kept * picture + (1 - kept) * dark


def in_bands(
    colour: Callable[[np.ndarray, np.ndarray], np.ndarray], picture: np.ndarray, map_: np.ndarray
) -> Image.Image:
    """Return what `colour` makes of a picture and a map, computed for a few rows after the other, to save memory."""
    coloured = np.empty(picture.shape, np.uint8)
    rows = max(1, BAND_PIXELS // picture.shape[1])
    for top in range(0, len(picture), rows):
        band = slice(top, top + rows)
        coloured[band] = np.round(colour(picture[band], map_[band]))
    return Image.fromarray(coloured)


def for_screens(image: Image.Image) -> Image.Image:
    """Return a picture for display, scaled down where its longer side has more than `MOST_SHOWN` pixels."""
    share = MOST_SHOWN / max(image.size)
    if share >= 1:
        return image
    width, height = (max(1, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def png(image: Image.Image) -> bytes:
    """Return an image as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()
