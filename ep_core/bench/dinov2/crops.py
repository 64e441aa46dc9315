"""Crops of COCO's objects by supercategory (person, animal, vehicle, ...), for the head and its accuracy."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ep_core.errors import InvalidInput

SMALLEST = 64
"""Least height and width of an object, in pixels."""
MOST = 40
"""Crops of a supercategory, the largest ones: people are a quarter of all objects."""
_MARGIN = 0.1  # of the box, on each side

Crops = Mapping[str, list[Image.Image]]
"""By supercategory."""


def read_crops(pictures: Path, instances: Path) -> dict[str, list[Image.Image]]:
    """Return the objects of a part of COCO, in RGB, the largest of each supercategory first; crowds are left out.

    Args:
        pictures: its folder, as ``val2017``. Pictures that aren't there are left out.
        instances: its annotations, as ``instances_val2017.json``.

    Raises:
        InvalidInput: there are no such annotations, or no picture of them.
    """
    try:
        told = json.loads(instances.read_text(encoding="utf-8"))
        names = {one["id"]: one["supercategory"] for one in told["categories"]}
        files = {one["id"]: pictures / one["file_name"] for one in told["images"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{instances} holds no annotations of COCO ({error})", field="coco") from error
    objects: dict[str, list[Any]] = defaultdict(list)
    for one in sorted(told["annotations"], key=lambda one: -one["bbox"][2] * one["bbox"][3]):
        if not one["iscrowd"] and min(one["bbox"][2:]) >= SMALLEST and files[one["image_id"]].is_file():
            objects[names[one["category_id"]]].append(one)
    if not objects:
        raise InvalidInput(f"{pictures} has no picture of {instances}", field="coco")
    return {
        name: [_crop(files[one["image_id"]], one["bbox"]) for one in of_it[:MOST]] for name, of_it in objects.items()
    }


def _crop(file: Path, box: tuple[float, float, float, float]) -> Image.Image:
    left, top, width, height = box
    with Image.open(file) as picture:
        edges = (
            max(0, round(left - _MARGIN * width)),
            max(0, round(top - _MARGIN * height)),
            min(picture.width, round(left + (1 + _MARGIN) * width)),
            min(picture.height, round(top + (1 + _MARGIN) * height)),
        )
        return picture.convert("RGB").crop(edges)


def supercategories(train: Crops, held_out: Crops, least: int) -> list[str]:
    """Return the supercategories with at least `least` crops to fit on, and one to measure by, the commonest first."""
    counts = Counter({name: len(of_it) for name, of_it in train.items() if len(of_it) >= least and held_out.get(name)})
    return [name for name, _ in counts.most_common()]
