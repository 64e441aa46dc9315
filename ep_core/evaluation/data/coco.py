"""MS COCO for the pointing game, in the folders and files that its makers publish."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ep_core.errors import InvalidInput

from .annotations import BoolMask, DataSet, Scene, check_pictures, distinct

COCO_AREAS = (0.018, 0.025, 0.05, 0.1)


def coco(parts: Sequence[tuple[Path, Path]]) -> DataSet:
    """Return MS COCO 2014 or 2017 (Lin et al., ECCV 2014), as laid out by cocodataset.org.

    A category's mask is the union of its objects' polygons and run lengths; regions marked as a crowd count as the
    object, as pointing at one of many is no miss. Pictures without objects are left out.

    Args:
        parts: for each part a folder of pictures (``val2014/``) and its ``instances_val2014.json``.

    Raises:
        InvalidInput: a file is missing or no such file, or pycocotools (extra `evaluation`) isn't installed.
    """
    scenes: list[Scene] = []
    categories: dict[str, None] = {}
    for images, instances in parts:
        index = _index(instances)
        categories |= dict.fromkeys(category["name"] for category in index.cats.values())
        part = [_scene(index, images, image) for _, image in sorted(index.imgs.items())]
        check_pictures(images, [scene.path for scene in part], "the pictures of COCO (val2014.zip), unpacked")
        scenes += [scene for scene in part if scene.objects]
    return DataSet("MS COCO", tuple(categories), distinct(scenes), COCO_AREAS)


def _index(annotations: Path) -> Any:
    """Return pycocotools' index of an annotation file, without what it prints."""
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise InvalidInput("COCO needs the package pycocotools: install the extra `evaluation`") from error
    if not annotations.is_file():
        raise InvalidInput(
            f"there is no {annotations}: it must be COCO's instances_val2014.json or alike, out of "
            "annotations_trainval2014.zip",
            field="coco_annotations",
        )
    try:
        with redirect_stdout(io.StringIO()):
            index = COCO(str(annotations))
        index.loadCats(index.getCatIds())
    except (ValueError, KeyError, AssertionError, TypeError) as error:
        raise InvalidInput(f"{annotations} holds no annotations of COCO ({error})", field="coco_annotations") from error
    return index


def _scene(index: Any, images: Path, image: dict[str, Any]) -> Scene:
    marked: dict[str, list[Any]] = defaultdict(list)
    for annotation in index.imgToAnns[image["id"]]:
        marked[index.cats[annotation["category_id"]]["name"]].append(annotation)
    size = (image["height"], image["width"])
    objects = {category: partial(_mask, index, of_it, size) for category, of_it in marked.items()}
    path = images / image["file_name"]
    return Scene(path.stem, path, size, objects)


def _mask(index: Any, annotations: Iterable[Any], size: tuple[int, int]) -> BoolMask:
    mask = np.zeros(size, dtype=bool)
    for annotation in annotations:
        mask |= index.annToMask(annotation).astype(bool)
    return mask
