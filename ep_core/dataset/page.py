"""Summary page of a dataset (`index.html`): one document that opens from disk, with its pictures in it. No torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from ep_core.pictures.embedded import data_url
from ep_core.pictures.gallery import shown_among, small_mask
from ep_core.pictures.result_page import Entry, result_page
from ep_core.schemas.reports.common import ModelRef
from ep_core.schemas.reports.file_names import area_key
from ep_core.schemas.specs import ExtremalSpec

from .rows import Row
from .store import Store
from .summary import NONE, Found, Summary

PAGE = "index.html"
_OF_RESULT = ("target", "optimal_area", "image", "frame")
_OF_POINT = ("area", "preserve", "preserve_probability")


def summary_page(summary: Summary, store: Store, *, params: ExtremalSpec, model: ModelRef) -> str:
    """Return the page.

    Args:
        summary: what it tells.
        store: has the pictures and the masks of the images that it shows.
        params: of the sweeps.
        model: as in a report.
    """
    kinds = {"smallest": summary.smallest, "largest": summary.largest, "wrong_ones": summary.wrong_ones}
    shown = {one.digest for ones in kinds.values() for one in ones}
    rows, masks = _rows(store, shown), store.masks(shown)
    model_held = model.model_dump(mode="json")
    engines = [row["engine"] for row in rows.values()]
    made = {"params": params.model_dump(mode="json"), "model": model_held, "engine": engines[0]} if engines else None
    held = asdict(summary) | {
        "counts": [_count(area, counts) for area, counts in summary.counts.items()],
        **{
            kind: [_tile(one, rows[one.digest], masks[one.digest], model_held) for one in ones]
            for kind, ones in kinds.items()
        },
        "made": made,
    }
    count = summary.images
    return result_page(
        Entry.DATASET, held, title=f"Extremal perturbations: {count} {'image' if count == 1 else 'images'}"
    )


def _count(area: float, counts: Mapping[bool | None, int]) -> dict[str, Any]:
    known = {"right": counts[True], "wrong": counts[False], "unknown": counts[None]}
    return {"area": None if area == NONE else area} | known


def _rows(store: Store, digests: Collection[str]) -> dict[str, Row]:
    """Return what was found in some contents, by digest."""
    import pyarrow.compute as pc

    wanted = pc.field("digest").isin(list(digests))
    return {row["digest"]: row for part in store.explained() for row in part.filter(wanted).to_pylist()}


def _tile(one: Found, row: Row, masks: Mapping[str, bytes], model: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image as the view `gallery` takes it."""
    shown = shown_among([point["area"] for point in row["curve"]], row["optimal_area"])
    curve = [
        {name: point[name] for name in _OF_POINT} | {"mask": small_mask(masks[area_key(point["area"])])}
        for point in row["curve"]
        if point["area"] in shown
    ]
    scores = {name: row["scores"][name] for name in ("original", "original_probability")}
    resolution = {"resolution": model["resolution"]}
    result = {name: row[name] for name in _OF_RESULT} | {"model": resolution, "scores": scores, "curve": curve}
    note = f"labelled “{one.label}”" if one.right is False else None
    return {"name": one.id, "picture": data_url(row["picture"], "image/jpeg"), "result": result, "note": note}
