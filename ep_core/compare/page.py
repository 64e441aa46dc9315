"""Comparison as a page of its own: every method's map and top areas under one slider, opened from disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ep_core.extremal.page import frame_of_masks, mask_url
from ep_core.models.frame import Frame
from ep_core.pictures.embedded import data_url, smaller, thumbnail_url
from ep_core.pictures.overlays import grey, png
from ep_core.pictures.result_page import TILE_SIDE, Entry, result_page
from ep_core.schemas.specs import EXTREMAL

from .maps import heat_of, positive_part

if TYPE_CHECKING:
    from .comparison import Answer, Comparison


def page_html(comparison: Comparison) -> str:
    """Return the page: the photograph, each method's map and top areas, and their scores, with all files in it."""
    report: dict[str, Any] = comparison.report().model_dump(mode="json")
    del report["timing"]
    small = smaller(comparison.image, TILE_SIDE)
    described = {one["method"]: one for one in report["methods"]}
    for answer in comparison.answers:
        described[answer.method].update(_pictures(answer, comparison.frame, small))
        if answer.method == EXTREMAL:
            frame = frame_of_masks(comparison.frame, small)
            for point, mask in zip(described[EXTREMAL]["curve"], answer.masks, strict=True):
                point["mask"] = mask_url(frame, mask)
    return result_page(
        Entry.COMPARISON,
        {"result": report, "image": thumbnail_url(small, TILE_SIDE)},
        title=f"{comparison.target.label}: what {len(report['methods'])} methods find in {comparison.model.name}",
    )


def _pictures(answer: Answer, frame: Frame, picture: Image.Image) -> dict[str, str]:
    """Return a method's map and heat on a small picture of the image, as the report's fields name them."""
    pixels: npt.NDArray[np.uint8] = np.asarray(picture)
    there = frame.on((picture.height, picture.width))
    return {
        "map": data_url(png(grey(there.mask_to_image(positive_part(answer.map)))), "image/png"),
        "overlay": thumbnail_url(heat_of(answer.map, there, pixels), TILE_SIDE),
    }
