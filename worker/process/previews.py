"""Previews: small pictures of masks that are still being optimised, and of the maps that a comparison has found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.compare.maps import SHOWN_QUANTILE, positive_part
from ep_core.pictures.embedded import data_url
from ep_core.pictures.overlays import grey, png
from worker.broker.contract import MapPreview, MaskPreview

LONGEST = 64
"""Pixels of a preview's longer side, at most."""


def render_masks(masks: Mapping[float, Tensor]) -> list[MaskPreview]:
    """Return masks (H x W in [0, 1], by area) as small pictures, in the network's frame."""
    return [MaskPreview(area=area, mask=_picture(_small(mask).clamp(0, 1).numpy())) for area, mask in masks.items()]


def render_map(method: str, found: Tensor) -> MapPreview:
    """Return a method's map (H x W) as a small picture of its positive part, as the comparison's heat has it."""
    return MapPreview(method=method, map=_picture(positive_part(_small(found), quantile=SHOWN_QUANTILE)))


def _small(picture: Tensor) -> Tensor:
    scale = min(1.0, LONGEST / max(picture.shape))
    size = [max(1, round(side * scale)) for side in picture.shape]
    return interpolate(picture[None, None].float(), size, mode="area")[0, 0].cpu()


def _picture(values: npt.NDArray[np.float32]) -> str:
    return data_url(png(grey(values)), "image/png")
