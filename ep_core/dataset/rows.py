"""Rows of a dataset's results: their Arrow schemas, and the row of an explanation. Imports no torch."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ep_core.schemas.reports.extremal import ExtremalReport

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
PICTURE = "picture"
"""Column of the small pictures: of what was found alone, for the page."""
_OF_CONTRAST = ("area", "measured_area", "original", "preserve", "target_score", "rival_score")


@cache
def explained_schema() -> pa.Schema:
    """Return the schema of what was found in a content, whichever images have it."""
    import pyarrow as pa

    number, text, size = pa.float64(), pa.string(), pa.int32()
    target = pa.struct({"kind": text, "index": size, "label": text})
    shares = {"area": number, "measured_area": number, "preserve": number, "delete": number}
    return pa.schema(
        {
            "digest": text,
            "problem": text,
            "target": target,
            "predicted": pa.struct({"index": size, "label": text, "probability": number}),
            "optimal_area": number,
            "scores": pa.struct(
                {
                    "original": number,
                    "perturbed": number,
                    "threshold": number,
                    "threshold_rule": text,
                    "original_probability": number,
                }
            ),
            "curve": pa.list_(
                pa.struct(shares | {"preserve_probability": number, "delete_probability": number, "binariness": number})
            ),
            "monotonic": pa.bool_(),
            "stability": pa.struct(
                {
                    "walks": size,
                    "saliency_correlation": number,
                    "optimal_areas": pa.list_(number),
                    "points": pa.list_(pa.struct({"area": number, "agreement": number, "spread": number})),
                }
            ),
            "extremal": pa.bool_(),
            "alternatives": pa.list_(pa.struct(shares | {"overlap": number})),
            "contrast": pa.struct({"rival": target} | dict.fromkeys(_OF_CONTRAST, number)),
            "warnings": pa.list_(text),
            "image": pa.struct({"width": size, "height": size}),
            "frame": pa.struct({"left": number, "top": number, "right": number, "bottom": number}),
            "engine": pa.struct({"version": text, "torch": text, "device": text}),
            "seconds": number,
            PICTURE: pa.binary(),
        }
    )


@cache
def result_schema() -> pa.Schema:
    """Return the schema of `results.parquet`: a row for each image of the dataset."""
    import pyarrow as pa

    own = {"id": pa.string(), "label": pa.string(), "label_index": pa.int32(), "right": pa.bool_()}
    found = [field for field in explained_schema() if field.name != PICTURE]
    return pa.schema([*map(pa.field, own, own.values()), *found])


def explained_row(digest: str, report: ExtremalReport, picture: bytes) -> Row:
    """Return the row of an explanation.

    Args:
        digest: SHA-256 of the image's file, 64 hex digits.
        report: what was found.
        picture: a small JPEG of the image.
    """
    found = report.model_dump(
        mode="json",
        include={
            "target",
            "scores",
            "curve",
            "optimal_area",
            "monotonic",
            "stability",
            "alternatives",
            "contrast",
            "image",
            "frame",
            "engine",
        },
    )
    predictions = report.scores.predictions
    return found | {
        "digest": digest,
        "predicted": predictions.original[0].model_dump() if predictions and predictions.original else None,
        "extremal": report.extremality.extremal if report.extremality else None,
        "warnings": [warning.detail for warning in report.warnings],
        "seconds": report.timing.run_s,
        PICTURE: picture,
    }


def problem_row(digest: str, problem: str) -> Row:
    """Return the row of a content that can't be explained, with the reason."""
    return {"digest": digest, "problem": problem}
