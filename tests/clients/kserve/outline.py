"""Outlines of answers: what they hold, without scores and pixels, which differ from machine to machine."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

EMPTY_OR_ONE = "optimal_area"


def of_explanations(explanations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Areas of each explanation, and the size of its masks by their names."""
    return [
        {
            "areas": [point["area"] for point in one["result"]["curve"]],
            "masks": {area: _size(file["b64"]) for area, file in one["files"].get("masks", {}).items()},
        }
        for one in explanations
    ]


def of_predictions(predictions: Sequence[Mapping[str, Any]]) -> list[int]:
    """How many classes there are of each image."""
    return [len(one["classes"]) for one in predictions]


def of_tensor(name: str, datatype: str, shape: Sequence[int]) -> dict[str, Any]:
    """Name, kind and shape of a tensor."""
    return {"name": name, "datatype": datatype, "shape": None if name == EMPTY_OR_ONE else list(shape)}


def _size(text: str) -> list[int]:
    return list(Image.open(io.BytesIO(base64.b64decode(text))).size)
