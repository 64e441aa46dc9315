"""Result as a page of its own: the slider of the dashboard, opened from disk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ep_core.models.frame import Frame
from ep_core.pictures.embedded import data_url, thumbnail, thumbnail_url
from ep_core.pictures.overlays import grey, png
from ep_core.pictures.result_page import SIDE, result_page
from ep_core.schemas.reports.file_names import CONTRAST_KEY, alternative_key
from ep_core.version import __version__

if TYPE_CHECKING:
    from .explanation import Explanation


def page_html(explanation: Explanation) -> str:
    """Return the page: the photograph under its masks, the scores, and what the network says, with all files in it."""
    report: dict[str, Any] = explanation.report().model_dump(mode="json")
    del report["timing"]  # the same result gives the same page
    masks = explanation.named_masks
    small = thumbnail(explanation.image, SIDE)
    frame = explanation.frame.on((math.ceil(small.height / 2), math.ceil(small.width / 2)))  # masks are smooth
    for point, mask in zip(report["curve"], explanation.masks, strict=True):
        point["mask"] = _mask_url(frame, mask)
    for k, alternative in enumerate(report["alternatives"]):
        alternative["mask"] = _mask_url(frame, masks[alternative_key(k)])
    if report["contrast"]:
        report["contrast"]["mask"] = _mask_url(frame, masks[CONTRAST_KEY])
    return result_page(
        report,
        thumbnail_url(small, SIDE),
        title=f"{explanation.target.label}: what {explanation.model.name} needs to see",
        made_by=f"extremal-perturbations {__version__}",
    )


def _mask_url(frame: Frame, mask: Tensor) -> str:
    """Return a mask, 1 x H x W of the frame, on the image."""
    return data_url(png(grey(frame.mask_to_image(mask[0].numpy()))), "image/png")
