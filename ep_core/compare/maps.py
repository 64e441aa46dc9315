"""Maps of methods as pictures show them: grey, or as heat over the image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from ep_core.models.frame import Frame
from ep_core.pictures.heat import heat_map

SHOWN_QUANTILE = 0.995  # of a map's values: the heat's full scale, since a few pixels stick out of some maps


def positive_part(map_: Tensor, *, quantile: float = 1) -> npt.NDArray[np.float32]:
    """Return the positive part of a map (H x W) in [0, 1], relative to a quantile of itself.

    A map that is positive everywhere, as RISE's is, counts from its least value.
    """
    positive: npt.NDArray[np.float32] = (map_ - map_.min().clamp_min(0)).clamp_min(0).numpy().astype(np.float32)
    scale = float(np.quantile(positive, quantile)) or float(positive.max())
    return np.clip(positive / max(scale, 1e-12), 0, 1)


def heat_of(map_: Tensor, frame: Frame, picture: npt.NDArray[np.uint8]) -> Image.Image:
    """Return a map (H x W of the frame) as heat over a picture (H0 x W0 x 3, of the frame's `image_size`)."""
    return heat_map(picture, frame.mask_to_image(positive_part(map_, quantile=SHOWN_QUANTILE)))
