"""Result as a page of its own: the slider of the dashboard, opened from disk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from PIL import Image
from torch import Tensor

from ep_core.models.frame import Frame
from ep_core.pictures.embedded import data_url, smaller, thumbnail_url
from ep_core.pictures.overlays import grey, png
from ep_core.pictures.result_page import SIDE, Entry, result_page
from ep_core.schemas.reports.file_names import CONTRAST_KEY, alternative_key

if TYPE_CHECKING:
    from .explanation import Explanation


def page_html(explanation: Explanation, side: int = SIDE) -> str:
    """Return the page: the photograph under its masks, the scores, and what the network says, with all files in it.

    Args:
        explanation: the result.
        side: most pixels of the photograph's longer side; masks have half as many.
    """
    report: dict[str, Any] = explanation.report().model_dump(mode="json")
    del report["timing"]  # the same result gives the same page
    masks = explanation.named_masks
    small = smaller(explanation.image, side)
    frame = frame_of_masks(explanation.frame, small)
    for point, mask in zip(report["curve"], explanation.masks, strict=True):
        point["mask"] = mask_url(frame, mask)
    for k, alternative in enumerate(report["alternatives"]):
        alternative["mask"] = mask_url(frame, masks[alternative_key(k)])
    if report["contrast"]:
        report["contrast"]["mask"] = mask_url(frame, masks[CONTRAST_KEY])
    return result_page(
        Entry.SWEEP,
        {"result": report, "image": thumbnail_url(small, side)},
        title=f"{explanation.target.label}: what {explanation.model.name} needs to see",
    )


def frame_of_masks(frame: Frame, picture: Image.Image) -> Frame:
    """Return a frame on an image as masks have it beside a picture of that: in half of its pixels, they are smooth."""
    return frame.on((math.ceil(picture.height / 2), math.ceil(picture.width / 2)))


def mask_url(frame: Frame, mask: Tensor) -> str:
    """Return a mask, 1 x H x W of the frame, on the image."""
    return data_url(png(grey(frame.mask_to_image(mask[0].numpy()))), "image/png")
