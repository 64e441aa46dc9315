"""Page of the results of several images, all at one area. Imports no torch.

Its size is bounded: pictures are small, those of many images smaller still, and more than `MOST` images are left out.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from ep_core.schemas.reports.comparison import CompareReport
from ep_core.schemas.reports.extremal import CurvePoint, ExtremalReport
from ep_core.schemas.reports.report import TaskReport
from ep_core.schemas.specs import EXTREMAL

from .embedded import data_url
from .even_places import even_places
from .overlays import png
from .result_page import Entry, result_page

SIDE, SIDE_OF_MANY = 320, 160
"""Most pixels of the longer side of a picture, and of one among many."""
MANY, MOST = 100, 500
"""From more images than these on, pictures are smaller; and the most that a page shows."""
MASK_SIDE = 112
"""Most pixels of the longer side of a mask, of the network's frame."""
MOST_MASKS = 8
"""Masks of an image beside that of a*: of more areas, those at even distances."""
_OF_RESULT: dict[str, Any] = {
    "target": True,
    "model": {"resolution"},
    "scores": {"original", "original_probability"},
    "optimal_area": True,
    "image": True,
    "frame": True,
    "warnings": True,
}
_OF_POINT = {"area", "preserve", "preserve_probability"}
_MADE = {"params", "model", "engine"}


@dataclass(frozen=True, kw_only=True)
class GalleryImage:
    """An image, and what was found in it."""

    name: str
    report: TaskReport | None = None
    picture: bytes | None = None
    """A JPEG of `side_among` pixels: the image or, without masks, what was found."""
    masks: Mapping[float, bytes] = field(default_factory=dict)
    """By area: PNGs in the network's frame, of `shown_areas`."""
    note: str | None = None
    """Reason why there is no result."""


def side_among(count: int) -> int:
    """Return the most pixels of the longer side of a picture, among so many images."""
    return SIDE if count <= MANY else SIDE_OF_MANY


def shown_areas(report: TaskReport) -> list[float]:
    """Return the areas of a result whose masks a page shows; none of a result without spatial masks."""
    return shown_among([point.area for point in _curve(report)], getattr(report, "optimal_area", None))


def shown_among(areas: Sequence[float], best: float | None) -> list[float]:
    """Return the areas among those of a sweep whose masks a page shows: some, and a* (`best`)."""
    places = set(even_places(len(areas), MOST_MASKS))
    return [area for k, area in enumerate(areas) if k in places or area == best]


def gallery_page(images: Iterable[GalleryImage], *, more: int = 0) -> str:
    """Return the page.

    Args:
        images: at most `MOST`, in the order in which they are shown.
        more: how many others there are.
    """
    shown, made = [], None
    for one in images:
        shown.append(_held(one))
        if made is None and one.report is not None:
            made = one.report.model_dump(mode="json", include=_MADE)
    count = len(shown) + more
    return result_page(
        Entry.GALLERY,
        {"images": shown, "made": made, "more": more},
        title=f"Extremal perturbations: {count} {'image' if count == 1 else 'images'}",
    )


def _held(one: GalleryImage) -> dict[str, Any]:
    """Return an image as the page holds it."""
    return {
        "name": one.name,
        "picture": one.picture and data_url(one.picture, "image/jpeg"),
        "result": one.report and _result(one.report, one.masks),
        "note": one.note,
    }


def _result(report: TaskReport, masks: Mapping[float, bytes]) -> dict[str, Any]:
    found = report.model_dump(mode="json", include=_OF_RESULT)
    if found.get("frame") is None and "image" in found:  # an old one
        size = found["image"]
        found["frame"] = {"left": 0, "top": 0, "right": size["width"], "bottom": size["height"]}
    points = [point for point in _curve(report) if point.area in masks]
    curve = [
        point.model_dump(mode="json", include=_OF_POINT) | {"mask": small_mask(masks[point.area])} for point in points
    ]
    return found | {"curve": curve}


def _curve(report: TaskReport) -> list[CurvePoint]:
    """Return the points of the masks that a result has."""
    if isinstance(report, ExtremalReport):
        return report.curve
    if isinstance(report, CompareReport):
        return next((one.curve for one in report.methods if one.method == EXTREMAL), [])
    return []


def small_mask(mask: bytes) -> str:
    """Return the PNG of a mask as the ``data:`` URL of a small one."""
    with Image.open(io.BytesIO(mask)) as picture:
        grey = picture.convert("L")
    grey.thumbnail((MASK_SIDE, MASK_SIDE), Image.Resampling.BOX)
    return data_url(png(grey), "image/png")
