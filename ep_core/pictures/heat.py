"""Heat over an image, for saliency and for maps of methods."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .overlays import in_bands

LIGHTEST = 0.65  # most that the heat map covers of the image


def heat_map(picture: np.ndarray, saliency: np.ndarray) -> Image.Image:
    """Return saliency (H x W in [0, 1]) as heat over the picture (H x W x 3, 8 bit) in grey."""
    return in_bands(_heat_map, picture, saliency)


def _heat_map(picture: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    from matplotlib import colormaps

    heat = colormaps["inferno"](saliency)[:, :, :3] * 255
    cover = (LIGHTEST * saliency**0.5)[:, :, None]
    background = picture.mean(axis=2, keepdims=True) * 0.8
    return cover * heat + (1 - cover) * background
