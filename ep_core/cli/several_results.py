"""Results of several images beside each other: rows of a table, as JSON and as CSV, and a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ep_core.errors import InvalidInput
from ep_core.pictures.embedded import thumbnail
from ep_core.pictures.gallery import MOST, GalleryImage, gallery_page, shown_areas, side_among
from ep_core.pictures.photographs import load
from ep_core.schemas.reports.extremal import ExtremalReport
from ep_core.schemas.reports.file_names import area_key, mask_name, overlay_name
from ep_core.schemas.specs import ExtremalSpec
from ep_core.version import __version__


@dataclass(frozen=True, kw_only=True)
class Item:
    """An image that was explained, or wasn't."""

    file: str
    """Its path as it was given, fit to be shown."""
    path: Path
    folder: str | None = None
    """Name of the folder of its result, inside the one of all results."""
    report: ExtremalReport | None = None
    error: str | None = None
    """Reason why there is no result."""


def as_document(items: Sequence[Item], spec: ExtremalSpec) -> dict[str, Any]:
    """Return all results as a document that JSON can hold: version, parameters, and an object for each image."""
    return {"version": __version__, "params": spec.model_dump(mode="json"), "images": [_row(one) for one in items]}


def as_csv(items: Sequence[Item], areas: Sequence[float]) -> str:
    """Return all results as a table with a header and a line for each image.

    Args:
        items: the images.
        areas: of the sweep. Each has the columns ``preserve 0.1`` and ``delete 0.1``, the scores of its mask.
    """
    columns = [f"{kind} {area_key(area)}" for area in areas for kind in ("preserve", "delete")]
    rows = [_flat(_row(one)) for one in items]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_EMPTY, *columns, "warnings", "error"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_page(items: Sequence[Item], out: Path, *, white_level: int | None = None) -> str:
    """Return all results as one page, with their pictures in it.

    Args:
        items: in the order in which they are shown.
        out: where the folders of the results lie.
        white_level: of the photographs, as for `load`.
    """
    side = side_among(len(items))
    images = (_gallery_image(one, out, side, white_level) for one in items[:MOST])
    return gallery_page(images, more=max(0, len(items) - MOST))


def _gallery_image(one: Item, out: Path, side: int, white_level: int | None) -> GalleryImage:
    """Return an image with its masks; where its file is gone meanwhile, under the mask of a* alone."""
    if one.report is None:
        return GalleryImage(name=one.file, note=one.error)
    folder = out / (one.folder or "")
    try:
        photograph = load(one.path, white_level)
    except (OSError, InvalidInput):
        return GalleryImage(name=one.file, report=one.report, picture=_overlay(folder, one.report, side))
    masks = {area: (folder / mask_name(area, frame="model")).read_bytes() for area in shown_areas(one.report)}
    return GalleryImage(name=one.file, report=one.report, picture=thumbnail(photograph, side), masks=masks)


def _overlay(folder: Path, report: ExtremalReport, side: int) -> bytes:
    best = report.curve[-1].area if report.optimal_area is None else report.optimal_area
    with Image.open(folder / overlay_name(best)) as picture:
        return thumbnail(picture, side)


_EMPTY: dict[str, Any] = dict.fromkeys(
    ("file", "folder", "target", "label", "probability", "score", "perturbed", "threshold", "optimal_area")
)


def _row(one: Item) -> dict[str, Any]:
    """Return an image's row. `score` is that of the image, `perturbed` of the fully perturbed one."""
    row = _EMPTY | {"file": one.file, "folder": one.folder, "curve": [], "warnings": [], "error": one.error}
    if one.report is None:
        return row
    scores = one.report.scores
    return row | {
        "target": one.report.target.index,
        "label": one.report.target.label,
        "probability": scores.original_probability,
        "score": scores.original,
        "perturbed": scores.perturbed,
        "threshold": scores.threshold,
        "optimal_area": one.report.optimal_area,
        "curve": [point.model_dump(mode="json") for point in one.report.curve],
        "warnings": [warning.detail for warning in one.report.warnings],
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without lists: a column for each area and kind of score, the warnings in one text."""
    curve = row.pop("curve")
    scores = {f"{kind} {area_key(point['area'])}": point[kind] for point in curve for kind in ("preserve", "delete")}
    return row | scores | {"warnings": "; ".join(row["warnings"])}
