"""Data sets of boxes for the pointing game: PASCAL VOC 2007 as published, and any pictures with a table of boxes."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ep_core.errors import InvalidInput

from .annotations import BoolMask, DataSet, Scene, check_pictures, distinct

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edges, in pixels: pixel i spans [i, i + 1]."""

VOC_AREAS = (0.025, 0.05, 0.1, 0.2)
# fmt: off
VOC_CATEGORIES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)
# fmt: on
CSV_COLUMNS = ("image", "label", "left", "top", "right", "bottom")


def voc2007(root: Path, split: str = "test") -> DataSet:
    """Return PASCAL VOC 2007 (Everingham et al., IJCV 2010); objects are boxes, those marked difficult included.

    Args:
        root: the folder that holds ``VOCdevkit/VOC2007``.
        split: ``"test"``, ``"val"``, ``"train"`` or ``"trainval"``.

    Raises:
        InvalidInput: a file is missing, or an annotation is none.
    """
    from torchvision.datasets import VOCDetection

    try:
        files = VOCDetection(str(root), year="2007", image_set=split)
    except (RuntimeError, OSError) as error:
        raise InvalidInput(
            f"{root} must hold VOCdevkit/VOC2007 with ImageSets/Main/{split}.txt, Annotations and JPEGImages: unpack "
            f"VOCtest_06-Nov-2007.tar of PASCAL VOC there ({error})",
            field="voc",
        ) from error
    pictures = [Path(path) for path in files.images]
    check_pictures(root, pictures, "PASCAL VOC 2007's JPEGImages")
    scenes = [_voc_scene(path, Path(marked)) for path, marked in zip(pictures, files.annotations, strict=True)]
    return DataSet(f"PASCAL VOC 2007 {split}", VOC_CATEGORIES, distinct(scenes), VOC_AREAS)


def boxes(images: Path, table: Path) -> DataSet:
    """Return pictures with boxes listed in a CSV file, such as the localisation boxes of ImageNet.

    Args:
        images: folder of the pictures.
        table: CSV with a header and the columns image (a path below `images`), label (class index or label of the
            network), left, top, right, bottom: the box's outer edges in pixels, so that pixel i spans [i, i + 1]. A
            picture may have several rows.

    Raises:
        InvalidInput: a file or a column is missing, or a row has no such numbers.
    """
    rows: dict[str, list[tuple[str, Box]]] = defaultdict(list)
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in CSV_COLUMNS if name not in (reader.fieldnames or ())]:
                raise InvalidInput(f"{table} lacks the columns {', '.join(missing)}", field="boxes")
            for row in reader:
                box = _box(row["left"], row["top"], row["right"], row["bottom"], where=f"{table}:{reader.line_num}")
                rows[row["image"]].append(((row["label"] or "").strip(), box))
    except OSError as error:
        columns = ", ".join(CSV_COLUMNS)
        raise InvalidInput(f"can't read {table}: it must be a CSV file of {columns}", field="boxes") from error
    check_pictures(images, [images / name for name in rows], f"the pictures that {table} lists")
    scenes = [
        _box_scene(Path(name).with_suffix("").as_posix(), images / name, _picture_size(images / name), marked)
        for name, marked in rows.items()
    ]
    labels = dict.fromkeys(label for marked in rows.values() for label, _ in marked)
    return DataSet(f"boxes of {table.name}", tuple(labels), distinct(scenes), VOC_AREAS)


def _voc_scene(path: Path, annotation: Path) -> Scene:
    try:
        root = ET.parse(annotation).getroot()  # noqa: S314 - the user's own copy of a published data set
        size = (int(root.findtext("size/height", "")), int(root.findtext("size/width", "")))
        marked = [(one.findtext("name", "").strip(), _voc_box(one, annotation)) for one in root.iter("object")]
    except (ET.ParseError, OSError, ValueError) as error:
        raise InvalidInput(f"{annotation} is no annotation of PASCAL VOC ({error})", field="voc") from error
    return _box_scene(path.stem, path, size, marked)


def _voc_box(one: ET.Element, annotation: Path) -> Box:
    """Return a box; VOC counts pixels from 1 and includes the last."""
    found = (one.findtext(f"bndbox/{name}", "") for name in ("xmin", "ymin", "xmax", "ymax"))
    left, top, right, bottom = _box(*found, where=str(annotation))
    return left - 1, top - 1, right, bottom


def _box_scene(name: str, path: Path, size: tuple[int, int], marked: Iterable[tuple[str, Box]]) -> Scene:
    of: dict[str, list[Box]] = defaultdict(list)
    for category, box in marked:
        of[category].append(box)
    objects: dict[str, Callable[[], BoolMask]] = {
        category: partial(_box_mask, found, size) for category, found in of.items()
    }
    return Scene(name, path, size, objects)


def _box_mask(found: Iterable[Box], size: tuple[int, int]) -> BoolMask:
    """Return the pixels whose middle lies in one of the boxes."""
    rows, columns = np.arange(size[0])[:, None] + 0.5, np.arange(size[1])[None, :] + 0.5
    mask = np.zeros(size, dtype=bool)
    for left, top, right, bottom in found:
        mask |= (left <= columns) & (columns < right) & (top <= rows) & (rows < bottom)
    return mask


def _box(*edges: str | None, where: str) -> Box:
    try:
        left, top, right, bottom = (float(edge or "") for edge in edges)
    except ValueError:
        raise InvalidInput(f"{where}: a box needs four numbers, not {', '.join(map(repr, edges))}") from None
    return left, top, right, bottom


def _picture_size(path: Path) -> tuple[int, int]:
    """Return height and width out of a picture's header."""
    with Image.open(path) as image:
        return image.height, image.width
