"""Previews: small pictures of masks that are still being optimised."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import interpolate

from ep_core.pictures.embedded import data_url
from ep_core.pictures.overlays import grey, png
from worker.broker.contract import MaskPreview

LONGEST = 64
"""Pixels of a preview's longer side, at most."""


def render_previews(masks: Mapping[float, Tensor]) -> list[MaskPreview]:
    """Return masks (H x W in [0, 1], by area) as small pictures, in the network's frame."""
    return [MaskPreview(area=area, mask=_picture(mask)) for area, mask in masks.items()]


def _picture(mask: Tensor) -> str:
    scale = min(1.0, LONGEST / max(mask.shape))
    size = [max(1, round(side * scale)) for side in mask.shape]
    small = interpolate(mask[None, None].float(), size, mode="area")[0, 0]
    return data_url(png(grey(small.clamp(0, 1).cpu().numpy())), "image/png")
